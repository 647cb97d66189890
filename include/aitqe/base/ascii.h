#pragma once

#include <algorithm>
#include <string>
#include <string_view>

// Letters, digits and white space of ASCII, whatever the locale.
namespace aitqe::ascii {

inline constexpr std::string_view kSpace = " \t\n\r\f\v";

inline bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return lower(c); });
  return result;
}

/// Without the characters of `drop` at both ends. Points into `text`.
inline std::string_view trim(std::string_view text, std::string_view drop = kSpace) {
  const std::size_t begin = text.find_first_not_of(drop);
  if (begin == std::string_view::npos) return text.substr(text.size());
  return text.substr(begin, text.find_last_not_of(drop) - begin + 1);
}

/// With `?` for each control character, those of U+0080 to U+009F in UTF-8 too: what a terminal
/// shows and does not obey.
/// @param keep  control characters that stay
inline std::string visible(std::string_view text, std::string_view keep = "") {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    const bool is_c0 = byte < ' ' || byte == 0x7F;
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next <= 0x9F;
    const bool stays = !is_c1 && (!is_c0 || keep.find(c) != std::string_view::npos);
    result += stays ? c : '?';
    if (is_c1) ++i;
  }
  return result;
}

}  // namespace aitqe::ascii
