#include "aitqe/text/lookalike.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "aitqe/text/unicode.h"
#include "utf8.h"

namespace aitqe {
namespace {

struct Lookalike {
  char32_t letter;
  char latin;
};

/// Letters of Cyrillic (with its extension) and Greek that are drawn as a Latin letter, from the
/// pairs of Unicode's confusables.txt (version 15) that are single letters; in order.
constexpr std::array kLookalikes = std::to_array<Lookalike>({
    {0x0391, 'a'}, {0x0392, 'b'}, {0x0395, 'e'}, {0x0396, 'z'}, {0x0397, 'h'}, {0x0399, 'i'},
    {0x039A, 'k'}, {0x039C, 'm'}, {0x039D, 'n'}, {0x039F, 'o'}, {0x03A1, 'p'}, {0x03A4, 't'},
    {0x03A5, 'y'}, {0x03A7, 'x'}, {0x03B1, 'a'}, {0x03B3, 'y'}, {0x03B9, 'i'}, {0x03BD, 'v'},
    {0x03BF, 'o'}, {0x03C1, 'p'}, {0x03C3, 'o'}, {0x03C5, 'u'}, {0x03F2, 'c'}, {0x03F3, 'j'},
    {0x0405, 's'}, {0x0406, 'i'}, {0x0408, 'j'}, {0x0410, 'a'}, {0x0412, 'b'}, {0x0415, 'e'},
    {0x041A, 'k'}, {0x041C, 'm'}, {0x041D, 'h'}, {0x041E, 'o'}, {0x0420, 'p'}, {0x0421, 'c'},
    {0x0422, 't'}, {0x0423, 'y'}, {0x0425, 'x'}, {0x0430, 'a'}, {0x0435, 'e'}, {0x043E, 'o'},
    {0x0440, 'p'}, {0x0441, 'c'}, {0x0443, 'y'}, {0x0445, 'x'}, {0x0455, 's'}, {0x0456, 'i'},
    {0x0458, 'j'}, {0x0475, 'v'}, {0x04AE, 'y'}, {0x04AF, 'y'}, {0x04BB, 'h'}, {0x04C0, 'i'},
    {0x04CF, 'i'}, {0x0501, 'd'}, {0x051B, 'q'}, {0x051D, 'w'},
});

template <std::size_t N>
char find_latin(const std::array<Lookalike, N>& table, char32_t code_point) {
  const auto* found = std::lower_bound(
      table.begin(), table.end(), code_point,
      [](const Lookalike& entry, char32_t letter) { return entry.letter < letter; });
  return found != table.end() && found->letter == code_point ? found->latin : '\0';
}

/// The Latin letter that `code_point` looks like; 0 for none.
char latin_lookalike(char32_t code_point) { return find_latin(kLookalikes, code_point); }

/// Small letters of which only the capital is drawn as a Latin letter; in order.
constexpr std::array kLookalikeCapitals = std::to_array<Lookalike>({
    {0x03B2, 'b'},
    {0x03B5, 'e'},
    {0x03B6, 'z'},
    {0x03B7, 'h'},
    {0x03BA, 'k'},
    {0x03BC, 'm'},
    {0x03C4, 't'},
    {0x03C7, 'x'},
    {0x0432, 'b'},
    {0x043A, 'k'},
    {0x043C, 'm'},
    {0x043D, 'h'},
    {0x0442, 't'},
});

bool is_ascii_letter(char32_t code_point) {
  return (code_point >= 'a' && code_point <= 'z') || (code_point >= 'A' && code_point <= 'Z');
}

/// Zero-width space, joiners, word joiner and the like; a byte order mark inside a text.
bool is_zero_width(char32_t c) {
  return (c >= 0x200B && c <= 0x200D) || (c >= 0x2060 && c <= 0x2064) || c == 0xFEFF ||
         c == 0x034F || c == 0x180E;
}

bool is_override(char32_t c) { return c == 0x202D || c == 0x202E; }

/// Embeddings, isolates and their ends: at home in texts that are written from right to left.
bool is_embedding(char32_t c) {
  return (c >= 0x202A && c <= 0x202C) || (c >= 0x2066 && c <= 0x2069);
}

/// Hebrew, Arabic and their neighbours.
bool is_right_to_left(char32_t c) {
  return (c >= 0x0590 && c <= 0x08FF) || (c >= 0xFB1D && c <= 0xFDFF) ||
         (c >= 0xFE70 && c <= 0xFEFC);
}

bool is_tag(char32_t c) { return c >= 0xE0000 && c <= 0xE007F; }

constexpr auto kFolding =
    static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                   UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK | UTF8PROC_IGNORE);
// The longest compatibility decomposition of one character has 18 (UAX #15).
constexpr std::size_t kMaxDecomposition = 32;

/// @param code_point  of a small letter, if of one
void append_folded(std::string& folded, char32_t code_point) {
  if (is_white_space(code_point)) {
    if (!folded.empty() && folded.back() != ' ') folded += ' ';
    return;
  }
  char latin = latin_lookalike(code_point);
  if (latin == '\0') latin = find_latin(kLookalikeCapitals, code_point);
  if (latin != '\0') {
    folded += latin;
  } else {
    append_utf8(folded, code_point);
  }
}

}  // namespace

std::string fold_lookalikes(std::string_view bytes) {
  std::string folded;
  folded.reserve(bytes.size());
  std::array<std::int32_t, kMaxDecomposition> parts{};
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    bytes.remove_prefix(step.size_bytes);
    // White space first: utf8proc counts some of it among what is ignored.
    if (is_white_space(step.code_point)) {
      append_folded(folded, step.code_point);
      continue;
    }
    int boundary = 0;
    const auto count = utf8proc_decompose_char(static_cast<std::int32_t>(step.code_point),
                                               parts.data(), parts.size(), kFolding, &boundary);
    if (count < 0 || static_cast<std::size_t>(count) > parts.size()) {
      append_utf8(folded, step.code_point);
      continue;
    }
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      append_folded(folded, static_cast<char32_t>(parts.at(static_cast<std::size_t>(i))));
    }
  }
  return folded;
}

bool has_hidden_characters(std::string_view bytes) {
  constexpr int kLongestHonestRun = 2;
  constexpr char32_t kBlackFlag = 0x1F3F4;
  int run = 0;                // of zero-width characters
  bool after_letter = false;  // an ASCII letter stands before that run
  bool in_flag = false;
  bool is_first = true;
  bool has_embedding = false;
  bool has_right_to_left = false;
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    bytes.remove_prefix(step.size_bytes);
    const char32_t c = step.code_point;
    const bool is_mark_of_order = is_first && c == 0xFEFF;
    is_first = false;
    if (is_mark_of_order) continue;
    if (is_override(c)) return true;
    has_embedding = has_embedding || is_embedding(c);
    has_right_to_left = has_right_to_left || is_right_to_left(c);
    if (is_tag(c)) {
      if (!in_flag) return true;
      continue;
    }
    in_flag = c == kBlackFlag;
    if (is_zero_width(c)) {
      if (++run > kLongestHonestRun) return true;
      continue;
    }
    if (run > 0 && after_letter && is_ascii_letter(c)) return true;
    run = 0;
    after_letter = is_ascii_letter(c);
  }
  return has_embedding && !has_right_to_left;
}

bool has_mixed_script_word(std::string_view bytes) {
  bool has_ascii = false;
  bool has_lookalike = false;
  bool has_own = false;  // letters of Cyrillic or Greek that are no lookalikes
  const auto is_mixed = [&] { return has_ascii && has_lookalike && !has_own; };
  while (!bytes.empty()) {
    const Utf8Step step = read_utf8(bytes);
    bytes.remove_prefix(step.size_bytes);
    const char32_t c = step.code_point;
    if (!is_letter(c)) {
      if (is_mixed()) return true;
      has_ascii = has_lookalike = has_own = false;
      continue;
    }
    if (is_ascii_letter(c)) {
      has_ascii = true;
    } else if (latin_lookalike(c) != '\0') {
      has_lookalike = true;
    } else if (c >= 0x0370 && c <= 0x052F) {
      has_own = true;
    }
  }
  return is_mixed();
}

}  // namespace aitqe
