#pragma once

#include <functional>
#include <map>
#include <string>

#include "aitqe/data/caption.h"
#include "aitqe/pipeline/types.h"
#include "aitqe/quality/policy.h"
#include "aitqe/quality/rewrite_guard.h"

namespace aitqe {

struct ConcludeOptions {
  RewriteRule rule;
  AnswerKeys keys;
  CaptionSource caption_source;
  bool with_explanations = false;  ///< --full
  bool verify = false;             ///< refuse rewrites that are no better (--verify)
  bool keep_suspects = false;      ///< --on-injection keep
  bool with_answers = false;  ///< -v: the raw answer of every pair, not only of unreadable ones
};

/// How often each new caption was given in a shard so far, case and punctuation apart; for
/// `verify`, in the shard's order.
class RewriteCounts {
 public:
  /// Counts this rewrite. @return whether it has been given too often by now.
  bool add(const std::string& recaption) { return ++counts_[bare_words(recaption)] > kMost; }

 private:
  static constexpr int kMost = 3;  // two of one thing occur; more is a model that has got stuck
  std::map<std::string, int> counts_;
};

/// AssessedSample -> EnhancedSample: reads the answer, decides, writes the row, replaces the
/// caption. A caption that cannot be replaced after all stays, and its row says why. Pure; any
/// thread.
/// @param shard_name  for the row   @param in_worst_set  chosen by `worst:P%`
/// @param counts      of the shard; looked at and added to with options.verify
EnhancedSample conclude(AssessedSample assessed, const std::string& shard_name, bool in_worst_set,
                        const ConcludeOptions& options, RewriteCounts* counts = nullptr);

}  // namespace aitqe
