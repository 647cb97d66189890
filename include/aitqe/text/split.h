#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// One cut of every piece of text that the step before left.
struct SplitStep {
  /// Every match is a piece of its own, and so is what lies between two matches. Empty: no cut.
  /// The regular expressions of tokenizer.json, in the subset that means the same in Oniguruma
  /// and PCRE2: literals, `.`, `|`, groups `(?: (?i: (?! (?=`, classes without nesting,
  /// quantifiers, `\s \S \p{L} \p{N} \r \n \t \x{H}` and escaped punctuation.
  std::string pattern;
  /// Puts a space before each piece that does not begin with one, before cutting it.
  bool prefix_space = false;
};

/// Qwen2's rule: contractions, letters with one leading sign, single digits, signs, white space.
std::vector<SplitStep> qwen2_split_steps();

/// SmolLM2's rule: single digits first, then GPT-2's pattern over what lies between them.
std::vector<SplitStep> smollm2_split_steps();

/// GPT-2's pattern: what ByteLevel with `use_regex` cuts by.
std::string_view gpt2_pattern();

/// What HF `tokenizers`' Digits takes as one digit; with `+` after it: as one number.
std::string_view digit_pattern();

/// Cuts text into the words that byte pair encoding never crosses. `\s` is Unicode White_Space;
/// `\p{L}` and `\p{N}` are those of Unicode 16, whatever PCRE2 the program runs with (Note
/// [Unicode of the patterns] in pattern.cpp). Immutable; safe to call from many threads.
class Splitter {
 public:
  /// @throws Error(Model) saying what in a pattern is not understood.
  explicit Splitter(const std::vector<SplitStep>& steps);

  /// Calls `use` for each word from left to right; without prefix spaces the words joined are
  /// `text`. A word is valid during its call only.
  /// @param text  valid UTF-8.
  /// @throws Error(Model) when a pattern needs too many steps on this text.
  void for_each_word(std::string_view text, const std::function<void(std::string_view)>& use) const;

 private:
  struct Step;
  std::vector<std::shared_ptr<const Step>> steps_;
};

}  // namespace aitqe
