#include "words.h"

#include <algorithm>
#include <array>

#include "aitqe/base/ascii.h"

namespace aitqe {

namespace {

constexpr std::array kStopWords = std::to_array<std::string_view>(
    {"and",  "are",    "for",   "from", "has",     "his",   "her",   "its",   "not",
     "one",  "off",    "out",   "over", "that",    "the",   "their", "this",  "two",
     "was",  "were",   "which", "with", "you",     "your",  "into",  "image", "picture",
     "icon", "symbol", "clip",  "art",  "drawing", "photo", "new",   "old"});

bool is_letter(char c) {
  const char low = ascii::lower(c);
  return (low >= 'a' && low <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

bool is_word_byte(char c) { return is_letter(c) || ascii::is_digit(c); }

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_byte(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    const auto joins = [&](std::size_t i) {  // it's, t-shirt
      return (text[i] == '\'' || text[i] == '-') && i + 1 < text.size() &&
             is_word_byte(text[i + 1]);
    };
    while (end < text.size() && (is_word_byte(text[end]) || joins(end))) ++end;
    words.push_back({at, end - at});
    at = end;
  }
  return words;
}

std::string with_word(std::string_view text, const Word& word, std::string_view replacement) {
  std::string changed(replacement);
  if (is_upper(text[word.begin]) && changed[0] >= 'a' && changed[0] <= 'z') {
    changed[0] = static_cast<char>(changed[0] - 'a' + 'A');
  }
  return std::string(text.substr(0, word.begin)) + changed +
         std::string(text.substr(word.begin + word.size));
}

std::vector<std::string> content_words(std::string_view text) {
  constexpr std::size_t kShortest = 3;
  std::vector<std::string> result;
  for (const Word& word : words_of(text)) {
    std::string low = ascii::lower(word.in(text));
    if (low.size() < kShortest) continue;
    if (std::find(kStopWords.begin(), kStopWords.end(), low) != kStopWords.end()) continue;
    if (low.size() > kShortest && low.ends_with('s') && !low.ends_with("ss")) low.pop_back();
    result.push_back(std::move(low));
  }
  return result;
}

}  // namespace aitqe
