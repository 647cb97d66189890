#include "encoded_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "aitqe/base/ascii.h"

namespace aitqe {
namespace {

/// Shorter runs are words.
constexpr std::size_t kShortestRunBytes = 20;

bool is_letter(char c) { return ascii::lower(c) >= 'a' && ascii::lower(c) <= 'z'; }

/// -1 for what is no digit of base64, in either of its alphabets.
int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (ascii::is_digit(c)) return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

int hex_digit(char c) {
  if (ascii::is_digit(c)) return c - '0';
  const char low = ascii::lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// Digits of `bits` each, packed into bytes.
template <typename Digit>
std::string unpack(std::string_view run, int bits, const Digit& digit) {
  std::string bytes;
  std::uint32_t held = 0;
  int num_held = 0;
  for (const char c : run) {
    held = (held << bits) | static_cast<std::uint32_t>(digit(c));
    num_held += bits;
    if (num_held < 8) continue;
    num_held -= 8;
    bytes += static_cast<char>((held >> num_held) & 0xFFU);
  }
  return bytes;
}

/// Printable ASCII, three quarters letters, with a blank: what random bytes never are.
bool are_words(std::string_view bytes) {
  const auto is_printable = [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; };
  if (bytes.find(' ') == std::string_view::npos) return false;
  if (!std::all_of(bytes.begin(), bytes.end(), is_printable)) return false;
  const auto letters =
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return is_letter(c) || c == ' '; });
  return 4 * static_cast<std::size_t>(letters) >= 3 * bytes.size();
}

/// Whether a run of such digits decodes to words.
template <typename Digit>
bool has_run_of_words(std::string_view text, int bits, const Digit& digit) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = begin;
    while (end < text.size() && digit(text[end]) >= 0) ++end;
    if (end - begin >= kShortestRunBytes &&
        are_words(unpack(text.substr(begin, end - begin), bits, digit))) {
      return true;
    }
    begin = end + 1;
  }
  return false;
}

/// How a character is spelt by its number: `&#105;`, `&#x69;`, `\u0069`, `\x69`.
struct Spelling {
  std::string_view mark;
  int base;
  std::size_t longest_bytes;  ///< from one to the next
};

/// Whether the digits of `base` at the front of `text` are the number of an ASCII letter.
bool is_number_of_letter(std::string_view text, int base) {
  constexpr std::size_t kMostDigits = 4;
  int number = 0;
  std::size_t count = 0;
  while (count < std::min(text.size(), kMostDigits)) {
    const int digit = hex_digit(text[count]);
    if (digit < 0 || digit >= base) break;
    number = base * number + digit;
    ++count;
  }
  return count > 0 && number < 128 && is_letter(static_cast<char>(number));
}

/// Whether eight letters in a row are spelt so. Those beyond ASCII are the leavings of programs.
bool has_spelt_letters(std::string_view text, const Spelling& spelling) {
  constexpr int kMany = 8;
  int run = 0;
  std::size_t last = 0;
  for (std::size_t at = text.find(spelling.mark); at != std::string_view::npos;
       at = text.find(spelling.mark, at + spelling.mark.size())) {
    if (!is_number_of_letter(text.substr(at + spelling.mark.size()), spelling.base)) continue;
    run = run > 0 && at - last <= 2 * spelling.longest_bytes ? run + 1 : 1;
    if (run >= kMany) return true;
    last = at;
  }
  return false;
}

/// Percent codes of letters: those of blanks, slashes and letters beyond ASCII are ordinary URLs.
bool has_percent_letters(std::string_view text) {
  constexpr int kMany = 8;
  int run = 0;
  for (std::size_t at = 0; at + 2 < text.size();) {
    const int high = text[at] == '%' ? hex_digit(text[at + 1]) : -1;
    const int low = text[at] == '%' ? hex_digit(text[at + 2]) : -1;
    const bool is_code = high >= 0 && low >= 0;
    const bool is_of_letter = is_code && is_letter(static_cast<char>(16 * high + low));
    if (is_of_letter && ++run >= kMany) return true;
    if (!is_code) run = 0;
    at += is_code ? 3 : 1;
  }
  return false;
}

}  // namespace

bool has_encoded_words(std::string_view text) {
  static constexpr auto kSpellings =
      std::to_array<Spelling>({{"&#", 10, 6}, {"&#x", 16, 8}, {"\\u", 16, 6}, {"\\x", 16, 4}});
  return has_run_of_words(text, 6, base64_digit) || has_run_of_words(text, 4, hex_digit) ||
         has_percent_letters(text) ||
         std::any_of(kSpellings.begin(), kSpellings.end(), [text](const Spelling& spelling) {
           return has_spelt_letters(text, spelling);
         });
}

}  // namespace aitqe
