#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

/// Why a text must not become a caption.
enum class RewriteFault {
  Empty,         ///< white space only
  BadText,       ///< control characters, bidirectional overrides, U+FFFD or invalid UTF-8
  SpecialToken,  ///< spells a special token: `<|im_end|>`, `<Overall>`, `<img_start>`, `</s>`, ...
  PromptMarker,  ///< holds words of our prompt or keys of the answer
  Refusal,       ///< speaks of itself: "I cannot ...", "As an AI ..."
  Url,           ///< a link that the original caption does not hold
  Loop,          ///< repeats one phrase over and over
};

/// The first fault found, in the order above; none for an ordinary sentence.
/// Linear in the text. @param original  the caption that `rewrite` would replace, or "".
std::optional<RewriteFault> find_rewrite_fault(std::string_view rewrite, std::string_view original,
                                               const AnswerKeys& keys);

/// Letters, digits and everything beyond ASCII, in lower case, with one blank between words.
std::string bare_words(std::string_view text);

/// Whether both texts are the same words in the same order: case, punctuation and white space
/// apart. What is added to a caption by such a rewrite is worth no change.
bool says_the_same(std::string_view rewrite, std::string_view original);

/// Names and numbers, as they stand in the caption, without the punctuation around them. Numbers
/// are digits with dots and commas between them ("3.5", "1,200"), with a percent or degree sign
/// behind them, or as years and ranks are written ("1990s", "2nd"). Names are words of letters that
/// begin with a capital ("Mostar", "McDonald's", "NASA"), but no contraction ("I'm"), not the first
/// word of a caption and none of one that has more such words than others: a title. Not looked for:
/// file names and the like (letters, digits and underscores in one word), and numbers beside a time
/// of day, which are the stamps of programs.
std::vector<std::string> find_facts(std::string_view caption);

/// What makes two facts the same: lower case, without commas between thousands ("1,5" keeps its
/// own) and signs behind numbers, and without 's.
std::string fact_key(std::string_view word);

/// The words of a text as fact_key gives them: what facts are looked for among.
std::vector<std::string> fact_words(std::string_view caption);

/// A name or number of the original (find_facts) that the rewrite lacks, or nothing.
std::optional<std::string> find_lost_fact(std::string_view rewrite, std::string_view original);

/// "rewrite_empty", "rewrite_special_token", ...: the verdict's reason (policy.h).
std::string_view rewrite_fault_reason(RewriteFault fault);

}  // namespace aitqe
