#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// A word of a caption: what stands between white space, without the punctuation around it.
struct Word {
  std::size_t begin = 0;  ///< bytes into the caption
  std::size_t size = 0;

  std::string_view in(std::string_view text) const { return text.substr(begin, size); }
};

std::vector<Word> words_of(std::string_view text);

/// `text` with the word replaced; the first letter's case is kept.
std::string with_word(std::string_view text, const Word& word, std::string_view replacement);

/// The words that carry meaning: lower case, three letters at least, no articles and the like.
/// Plural endings are dropped.
std::vector<std::string> content_words(std::string_view text);

}  // namespace aitqe
