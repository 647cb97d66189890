#include "json_fields.h"

#include <charconv>
#include <cmath>

#include "aitqe/base/error.h"
#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

/// Length of the character at the start of `text` that ends a line for Python's str.splitlines
/// and some other readers of JSON lines, and its escape.
struct LineEnd {
  std::size_t bytes = 0;
  std::string_view escape;
};

LineEnd line_end(std::string_view text) {
  if (text.starts_with("\xC2\x85")) return {2, "\\u0085"};
  if (text.starts_with("\xE2\x80\xA8")) return {3, "\\u2028"};
  if (text.starts_with("\xE2\x80\xA9")) return {3, "\\u2029"};
  return {};
}

void append_escaped(std::string& json, char c) {
  static constexpr std::string_view kPlain = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kLetters = "\"\\bfnrt";
  if (const std::size_t found = kPlain.find(c); found != std::string_view::npos) {
    json += {'\\', kLetters[found]};
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  json += "\\u00";
  json += {kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 0xF]};
}

}  // namespace

void append_json_text(std::string& json, std::string_view text) {
  const std::string valid = repair_utf8(text);
  json += '"';
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const char c = valid[at];
    const bool is_control = c >= 0 && c < ' ';
    if (is_control || c == '"' || c == '\\' || c == 0x7F) {
      append_escaped(json, c);
    } else if (const LineEnd end = line_end(std::string_view(valid).substr(at)); end.bytes > 0) {
      json += end.escape;
      at += end.bytes - 1;
    } else {
      json += c;
    }
  }
  json += '"';
}

void append_json_float(std::string& json, double value) {
  if (!std::isfinite(value)) value = -1.0;
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find('.') == std::string::npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  json += text;
}

JsonFields::JsonFields(const Json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) throw Error(ErrorCategory::Damaged, where_ + ": expected an object");
}

Json JsonFields::parse(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    throw Error(ErrorCategory::Damaged, where + ": not valid JSON: " + error.what());
  }
}

const Json& JsonFields::at(std::string_view key) {
  read_.emplace(key);
  const auto found = object_.find(std::string(key));
  if (found == object_.end()) throw Error(ErrorCategory::Damaged, path(key) + " is missing");
  return *found;
}

void JsonFields::wrong_type(std::string_view key, std::string_view expected) const {
  throw Error(ErrorCategory::Damaged, path(key) + " must be " + std::string(expected));
}

std::string JsonFields::text(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_string()) wrong_type(key, "a text");
  return value.get<std::string>();
}

std::int64_t JsonFields::integer(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_number_integer()) wrong_type(key, "an integer");
  return value.get<std::int64_t>();
}

double JsonFields::number(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_number()) wrong_type(key, "a number");
  return value.get<double>();
}

bool JsonFields::boolean(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_boolean()) wrong_type(key, "true or false");
  return value.get<bool>();
}

const Json& JsonFields::array(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_array()) wrong_type(key, "an array");
  return value;
}

const Json& JsonFields::object(std::string_view key) {
  const Json& value = at(key);
  if (!value.is_object()) wrong_type(key, "an object");
  return value;
}

void JsonFields::schema(std::string_view expected) {
  const std::string found = text("schema");
  if (found == expected) return;
  throw Error(ErrorCategory::Damaged, path("schema") + " is \"" + found + "\", expected \"" +
                                          std::string(expected) +
                                          "\": made by another version of aitqe");
}

void JsonFields::finish() const {
  for (const auto& [key, value] : object_.items()) {
    if (!read_.contains(key)) throw Error(ErrorCategory::Damaged, path(key) + " is not known");
  }
}

}  // namespace aitqe
