#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aitqe/engine/generated_text.h"
#include "aitqe/quality/answer_keys.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {

/// The fixed words of an answer, guessed before the model says them: they are run in one step and
/// taken as far as the model's own choice agrees (PERFORMANCE, "template draft"). A wrong guess
/// costs a few rows, never a token. Immutable; any number of threads.
class AnswerDrafts {
 public:
  AnswerDrafts() = default;  ///< guesses nothing
  AnswerDrafts(const Tokenizer& tokenizer, const AnswerKeys& keys);

  /// How the answer may go on.
  /// @param said  the last token included
  /// @param rewrites  whether it looks like a rewrite, where it has just begun
  /// @param has_scored  the last token is the overall score
  std::vector<std::int32_t> after(const GeneratedText& said, bool rewrites, bool has_scored) const;

 private:
  const std::vector<std::int32_t>* between(const std::string& text) const;

  std::vector<std::int32_t> recaption_prefix_;
  std::vector<std::int32_t> score_prefix_;
  std::vector<std::int32_t> score_end_;  // what stands between the score and the last token
  std::string recaption_begin_;
  std::string between_;  // the text from a recaption's last character to the score
  /// between_rest_[i]: tokens of what follows its first i characters.
  std::vector<std::vector<std::int32_t>> between_rest_;
};

}  // namespace aitqe
