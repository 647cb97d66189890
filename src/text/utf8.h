#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace aitqe {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

enum class Utf8State {
  Valid,
  Invalid,     ///< these bytes can never become a character
  Incomplete,  ///< the text ends within a character that is good so far
};

/// What stands at the front of some bytes: one character, or the part of a broken one that a
/// single U+FFFD replaces (Unicode's "maximal subpart", which is what Python does).
struct Utf8Step {
  char32_t code_point = kReplacementCharacter;
  std::size_t size_bytes = 0;
  Utf8State state = Utf8State::Invalid;
};

/// @param bytes  not empty.
Utf8Step read_utf8(std::string_view bytes);

/// @param code_point  a Unicode scalar value.
void append_utf8(std::string& text, char32_t code_point);

/// Start of the character that ends at the end of `utf8` (valid, not empty).
std::size_t last_character_offset(std::string_view utf8);

/// Unicode property White_Space: what `\s` means in the tokenizers' patterns.
bool is_white_space(char32_t code_point);

}  // namespace aitqe
