#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// When a caption is replaced (`--rewrite-when`).
struct RewriteRule {
  enum class Kind {
    Model,         ///< where the model wrote a new one of its own accord
    ScoreBelow,    ///< where the score is below `value`
    WorstPercent,  ///< for the worst `value` percent of a finished score run (worst.h)
    Always,
    Never,
  };
  Kind kind = Kind::Model;
  /// The score (not included) or the percentage; 0 where the kind has none.
  double value = 0.0;

  /// Reads "model", "score<4", "worst:10%", "always" or "never".
  /// @throws Error(Usage) with what was expected and the nearest valid rule.
  static RewriteRule parse(std::string_view text);

  /// The text that `parse` reads back as this rule.
  std::string to_string() const;

  bool operator==(const RewriteRule&) const = default;
};

enum class Decision { Keep, Rewrite, Failed };

/// "keep", "rewrite", "failed": as in rows.
std::string_view decision_name(Decision decision);
/// @throws Error(Damaged) on any other word.
Decision decision_from_name(std::string_view name);

/// What happens to one pair's caption.
struct Verdict {
  Decision decision = Decision::Keep;
  /// One of `verdict_reasons()`; stable.
  std::string reason;
  /// The bytes to write: the original ones, or the new caption trimmed of ASCII white space.
  std::string caption_out;
};

struct VerdictReason {
  std::string_view code;
  std::string_view text;
};
/// Every reason a verdict can have, with its meaning in words (docs/formats.md lists them).
std::span<const VerdictReason> verdict_reasons();
/// The words of a code; the code itself when it is none of ours.
std::string_view verdict_reason_text(std::string_view code);

/// What `decide` looks at besides the rule.
struct JudgedPair {
  const Assessment& assessment;
  /// score_expected, or the forced score where the answer did not start with it; kNoScore when
  /// neither is known. Only ScoreBelow reads it.
  double score = kNoScore;
  /// Only WorstPercent reads it.
  bool in_worst_set = false;
  /// The caption's bytes.
  std::string_view original;
  /// Set where rewrites are verified: the new caption's own score, kNoScore where it has none. It
  /// must be above `score`, and hold the names and numbers of the original.
  std::optional<double> recaption_score = std::nullopt;
  /// The caption bears a sign of injection and is to stay for that (`--on-injection keep`).
  bool is_kept_suspect = false;
};

/// Applies the rule. A rewrite happens only with a complete new caption that differs from the old
/// one and passes find_rewrite_fault; otherwise the caption is kept and the reason says why.
/// A suspect that is to stay is kept whatever rule and answer say.
/// An unusable assessment is Failed (stage "answer"), its caption kept. Never throws.
Verdict decide(const JudgedPair& pair, const RewriteRule& rule, const AnswerKeys& keys);

}  // namespace aitqe
