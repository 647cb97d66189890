#include "json_text.h"

#include <charconv>
#include <cstdint>
#include <optional>

#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80 | ((code >> shift) & 0x3F));
  };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += {static_cast<char>(0xC0 | (code >> 6)), tail(0)};
  } else if (code < 0x10000) {
    text += {static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0)};
  } else {
    text += {static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0)};
  }
}

/// The value of `\uXXXX` at `at`.
std::optional<std::uint32_t> unit_at(std::string_view raw, std::size_t at) {
  if (raw.size() < at + 6 || raw[at] != '\\' || raw[at + 1] != 'u') return std::nullopt;
  std::uint32_t unit = 0;
  const char* digits = raw.data() + at + 2;
  const auto [end, error] = std::from_chars(digits, digits + 4, unit, 16);
  if (error != std::errc() || end != digits + 4) return std::nullopt;
  return unit;
}

/// Decodes `\uXXXX`, or a pair of them, at `at`. Returns the bytes read; 0 when it means nothing.
std::size_t decode_unicode(std::string_view raw, std::size_t at, std::string& text) {
  const auto high = unit_at(raw, at);
  if (!high) return 0;
  if (*high < 0xD800 || *high > 0xDFFF) {
    append_utf8(text, *high);
    return 6;
  }
  const auto low = unit_at(raw, at + 6);
  if (*high > 0xDBFF || !low || *low < 0xDC00 || *low > 0xDFFF) return 0;
  append_utf8(text, 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00));
  return 12;
}

char simple_escape(char letter) {
  switch (letter) {
    case '"':
    case '\'':
    case '\\':
    case '/':
      return letter;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

}  // namespace

DecodedText decode_json_text(std::string_view raw) {
  DecodedText decoded;
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::size_t plain_end = std::min(raw.find('\\', at), raw.size());
    decoded.text += raw.substr(at, plain_end - at);
    at = plain_end;
    if (at == raw.size()) break;
    const char simple = at + 1 < raw.size() ? simple_escape(raw[at + 1]) : '\0';
    if (simple != '\0') {
      decoded.text += simple;
      at += 2;
    } else if (const std::size_t read = decode_unicode(raw, at, decoded.text); read > 0) {
      at += read;
    } else {
      decoded.text += kReplacement;
      decoded.had_errors = true;
      // A lone surrogate is one broken character; of any other escape only `\x` is dropped.
      at += unit_at(raw, at) ? 6 : 2;
    }
  }
  if (!is_valid_utf8(decoded.text)) {
    decoded.text = repair_utf8(decoded.text);
    decoded.had_errors = true;
  }
  return decoded;
}

}  // namespace aitqe
