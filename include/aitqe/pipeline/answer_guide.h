#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aitqe/engine/generated_text.h"
#include "aitqe/engine/guide.h"
#include "aitqe/engine/logits.h"
#include "aitqe/pipeline/answer_drafts.h"
#include "aitqe/quality/answer_keys.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {

/// What all answers of a run have in common. Immutable; any number of threads.
struct AnswerRules {
  AnswerRules(std::shared_ptr<const Tokenizer> tokenizer, AnswerKeys keys,
              std::vector<std::int32_t> eos_ids);

  std::shared_ptr<const Tokenizer> tokenizer;
  AnswerKeys keys;
  /// Set to verify rewrites: every new caption is put under the same image and gets a score of its
  /// own; the image is not run again.
  std::shared_ptr<const PromptBuilder> verify_with;
  std::vector<std::int32_t> eos_ids;  ///< any of them ends an answer
  int max_new_tokens = 384;           ///< the reference's limit
  bool full = false;  ///< go on to the end of text instead of stopping at keys.score_end
  bool with_first_logits = false;  ///< fill Answer::first_logits, which costs a look at all logits

  std::vector<std::int32_t> recaption_key;     ///< tokens of `{"Recaption`
  std::vector<std::int32_t> recaption_prefix;  ///< tokens of `{"Recaption": "`
  std::vector<std::int32_t> score_prefix;      ///< tokens of `{"Overall Score": "`
  std::vector<std::int32_t> digits;            ///< token of "0" .. "9"; -1: not one token
  AnswerDrafts drafts;                         ///< replace by AnswerDrafts() to guess nothing

  /// Tokens that may have to be kept behind the prompt, looks ahead included.
  std::int64_t most_tokens() const;
};

/// How one answer begins.
enum class AnswerStart {
  Free,            ///< as the model likes (the reference), or as sure as its keys ask for
  ForceRecaption,  ///< with the "Recaption" key
  ForceScore,      ///< with the "Overall Score" key: no rewrite
};

struct AnswerOrder {
  AnswerStart start = AnswerStart::Free;
  /// Set for `score<K`: a free answer that starts with a rewrite also gets its score behind a
  /// forced score key, and one whose score is below K without a rewrite is asked for one.
  std::optional<double> rewrite_below;
};

/// What the model said to one pair, with what its probabilities say beyond the text.
struct Answer {
  std::vector<std::int32_t> ids;  ///< forced tokens included, the end token too
  std::string text;               ///< of `ids`, raw: special tokens left out, not stripped
  std::string asked_recaption;  ///< text of a second answer, forced to begin with a rewrite; or ""
  TopLogits first_logits;       ///< the 20 largest for the first token, if asked for
  /// Mean of the score under the probabilities of its digits, on the scale of the keys:
  /// sum k P(k) / sum P(k), P(10) = P(1) P(0 after 1). -1 where no score was written.
  double score_expected = -1.0;
  double score_forced = -1.0;     ///< the same behind the forced score key; -1 where not asked for
  double score_recaption = -1.0;  ///< the new caption's, behind the forced key; -1: not verified
  double p_rewrite = -1.0;        ///< product of the probabilities of recaption_key's tokens
};

/// Greedy answer to one pair: stop rules of the reference, scores read off the logits on the way.
/// Used by one thread at a time, not always the same.
class AnswerGuide : public Guide {
 public:
  AnswerGuide(std::shared_ptr<const AnswerRules> rules, AnswerOrder order);

  /// The tokens of `{"Recaption` but the last: p_rewrite is read behind each of them.
  std::span<const std::int32_t> look_ahead() const override;
  std::optional<Feed> next(const LogitsRows& logits) override;

  /// Once finished.
  Answer take_answer();

 private:
  enum class Phase { Prompt, Generate, Ten, ForcedScore, RecaptionScore };

  /// @param logits  behind the prompt and look_ahead
  std::optional<Feed> begin(const LogitsRows& logits);
  /// Keeps of look_ahead what the prefix begins with.
  std::optional<Feed> begin_with(const std::vector<std::int32_t>& prefix);
  std::optional<Feed> force(const std::vector<std::int32_t>& prefix, Feed::From from);
  /// Takes tokens as long as they are those that were drafted, and one more.
  std::optional<Feed> generate_rows(const LogitsRows& logits);
  std::optional<Feed> generate(const LogitsRows& logits, std::int64_t row);
  bool goes_on(const std::optional<Feed>& feed) const;
  /// With what may follow, where the answer goes on.
  std::optional<Feed> drafted(std::optional<Feed> feed);
  /// Appends what may follow.
  Feed with_draft(Feed feed);
  std::optional<Feed> commit(std::int32_t id);
  std::optional<Feed> finish();
  /// What is to be asked once the answer is there: the forced score, a second answer, the score of
  /// the new caption; nothing when all is known.
  std::optional<Feed> ask_more();
  std::optional<Feed> ask_forced_score();
  std::optional<Feed> ask_recaption_score();
  double score_behind_key(const LogitsRows& logits) const;
  bool at_score() const;
  double expected_score(const std::vector<double>& digits, double p_zero_after_one) const;

  std::shared_ptr<const AnswerRules> rules_;
  AnswerOrder order_;
  GeneratedText text_;
  Phase phase_ = Phase::Prompt;
  bool second_answer_ = false;
  bool has_forced_score_ = false;
  bool has_recaption_score_ = false;
  std::int32_t pending_id_ = 0;  // token to commit after the look ahead at ten
  std::vector<double> digits_at_score_;
  std::vector<std::int32_t> draft_;  // fed behind the last token, and not sure
  bool looks_like_rewrite_ = false;
  bool has_just_scored_ = false;
  Answer answer_;
};

}  // namespace aitqe
