#pragma once

#include <functional>
#include <string>

#include "aitqe/data/caption.h"
#include "aitqe/pipeline/types.h"
#include "aitqe/quality/policy.h"

namespace aitqe {

struct ConcludeOptions {
  RewriteRule rule;
  AnswerKeys keys;
  CaptionSource caption_source;
  bool with_explanations = false;  ///< --full
  bool with_answers = false;  ///< -v: the raw answer of every pair, not only of unreadable ones
};

/// AssessedSample -> EnhancedSample: reads the answer, decides, writes the row, replaces the
/// caption. A caption that cannot be replaced after all stays, and its row says why. Pure; any
/// thread.
/// @param shard_name  for the row   @param in_worst_set  chosen by `worst:P%`
EnhancedSample conclude(AssessedSample assessed, const std::string& shard_name, bool in_worst_set,
                        const ConcludeOptions& options);

}  // namespace aitqe
