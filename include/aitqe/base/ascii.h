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

/// With `?` for each control character: what a terminal shows and does not obey.
/// @param keep  control characters that stay
inline std::string visible(std::string_view text, std::string_view keep = "") {
  std::string result(text);
  for (char& c : result) {
    const bool is_control = (c >= 0 && c < ' ') || c == 0x7F;
    if (is_control && keep.find(c) == std::string_view::npos) c = '?';
  }
  return result;
}

}  // namespace aitqe::ascii
