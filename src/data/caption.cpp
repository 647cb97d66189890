#include "aitqe/data/caption.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

constexpr std::string_view kJsonPrefix = "json:";

// Walks the top level of a document that was checked to be JSON: it only has to find its way.
class TopLevelScanner {
 public:
  explicit TopLevelScanner(std::string_view document) : document_(document) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (document_.starts_with(kByteOrderMark)) position_ = kByteOrderMark.size();
    skip_space();
    position_ = here() == '{' ? position_ + 1 : document_.size();
  }

  struct Field {
    std::string_view key;    // with its quotes
    std::string_view value;  // as it stands
  };

  // The next field, or nothing at the end of the object.
  std::optional<Field> next() {
    skip_space();
    if (here() == ',') ++position_;
    skip_space();
    if (here() != '"') return std::nullopt;
    Field field;
    field.key = take([this] { skip_string(); });
    skip_space();
    ++position_;  // the colon
    skip_space();
    field.value = take([this] { skip_value(); });
    return field;
  }

 private:
  char here() const { return position_ < document_.size() ? document_[position_] : '\0'; }

  template <typename Skip>
  std::string_view take(Skip skip) {
    const std::size_t begin = position_;
    skip();
    return document_.substr(begin, position_ - begin);
  }

  void skip_space() {
    position_ = std::min(document_.find_first_not_of(" \t\r\n", position_), document_.size());
  }

  void skip_string() {
    ++position_;
    while (position_ < document_.size() && here() != '"') position_ += here() == '\\' ? 2 : 1;
    position_ = std::min(position_ + 1, document_.size());
  }

  void skip_value() {
    int depth = 0;
    while (position_ < document_.size()) {
      const char c = here();
      if (depth == 0 && (c == ',' || c == '}')) return;
      if (c == '"') {
        skip_string();
        if (depth == 0) return;
        continue;
      }
      if (depth == 0 && std::string_view(" \t\r\n").find(c) != std::string_view::npos) return;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++position_;
      if (depth == 0 && (c == '}' || c == ']')) return;
    }
  }

  std::string_view document_;
  std::size_t position_ = 0;
};

std::string decode_string(std::string_view token) {
  return nlohmann::json::parse(token).get<std::string>();
}

// The value of the last top-level field of this name, as it stands in the document.
std::string_view find_text_value(std::string_view document, const std::string& field) {
  if (!nlohmann::json::accept(document))
    throw SampleError("bad_json: json member is not valid JSON");
  std::optional<std::string_view> value;
  TopLevelScanner scanner(document);
  while (const auto found = scanner.next()) {
    if (decode_string(found->key) == field) value = found->value;
  }
  if (!value) throw SampleError("no_caption: json member has no top-level field \"" + field + "\"");
  if (!value->starts_with('"')) {
    throw SampleError("bad_json: json field \"" + field + "\" is " +
                      std::string(value->substr(0, 20)) + ", expected a text");
  }
  return *value;
}

const Member& require_member(const Sample& sample, const std::string& suffix) {
  const Member* member = find_member(sample, suffix);
  if (member != nullptr) return *member;
  const std::string present = describe_members(sample);
  throw SampleError("no_caption: no " + suffix + " member for the caption (there are: " +
                    (present.empty() ? "none" : present) + "; --caption-from)");
}

// `document` with a part of it replaced.
std::string with_value(std::string_view document, std::string_view old_value,
                       std::string_view value) {
  const auto begin = static_cast<std::size_t>(old_value.data() - document.data());
  std::string spliced(document.substr(0, begin));
  return spliced.append(value).append(document.substr(begin + old_value.size()));
}

std::string_view line_end_of(std::string_view text) {
  if (text.ends_with("\r\n")) return "\r\n";
  return text.ends_with('\n') ? "\n" : "";
}

}  // namespace

CaptionSource CaptionSource::parse(std::string_view text) {
  if (text == "txt") return {};
  if (text.starts_with(kJsonPrefix) && text.size() > kJsonPrefix.size()) {
    return {std::string(text.substr(kJsonPrefix.size()))};
  }
  throw Error(ErrorCategory::Usage,
              "--caption-from: \"" + std::string(text) + "\", expected txt or json:FIELD");
}

std::string CaptionSource::to_string() const {
  return json_field.empty() ? "txt" : std::string(kJsonPrefix) + json_field;
}

std::string read_caption(const Sample& sample, const CaptionSource& source) {
  if (source.json_field.empty()) return require_member(sample, "txt").bytes;
  return decode_string(find_text_value(require_member(sample, "json").bytes, source.json_field));
}

void replace_caption(Sample& sample, const CaptionSource& source, std::string_view text) {
  const std::string suffix = source.json_field.empty() ? "txt" : "json";
  require_member(sample, suffix);
  std::string& bytes = find_member(sample, suffix)->bytes;
  if (!source.json_field.empty()) {
    bytes = splice_json_text(bytes, source.json_field, text);
    return;
  }
  const std::string_view line_end = line_end_of(bytes);
  std::string replaced(text);
  if (!line_end.empty() && line_end_of(text).empty()) replaced += line_end;
  bytes = std::move(replaced);
}

std::string caption_as_json(const Sample& sample, const CaptionSource& source) {
  if (source.json_field.empty()) return "";
  return std::string(find_text_value(require_member(sample, "json").bytes, source.json_field));
}

void restore_caption(Sample& sample, const CaptionSource& source, std::string_view caption,
                     std::string_view as_json) {
  const std::string suffix = source.json_field.empty() ? "txt" : "json";
  require_member(sample, suffix);
  std::string& bytes = find_member(sample, suffix)->bytes;
  bytes = source.json_field.empty()
              ? std::string(caption)
              : with_value(bytes, find_text_value(bytes, source.json_field), as_json);
}

std::string splice_json_text(std::string_view document, const std::string& field,
                             std::string_view text) {
  const std::string_view old_value = find_text_value(document, field);
  const bool is_ascii = std::all_of(document.begin(), document.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  const std::string value = nlohmann::json(std::string(text))
                                .dump(-1, ' ', is_ascii, nlohmann::json::error_handler_t::replace);
  return with_value(document, old_value, value);
}

}  // namespace aitqe
