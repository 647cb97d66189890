#pragma once

#include <string>
#include <vector>

#include "aitqe/eval/evaluate.h"

namespace aitqe {

/// Scores of captions that have something in common.
struct ScoreGroup {
  std::string name;  ///< "3 to 5 words"
  std::int64_t num_captions = 0;
  double mean_score = 0;
  double rewritten = 0;  ///< share
};

/// How a model treats somebody's own captions, taken as they are.
struct Audit {
  EvalFigures detection;  ///< of captions spoiled on purpose
  std::vector<ScoreGroup> by_words;
  std::vector<ScoreGroup> by_script;
  std::vector<ScoreGroup> by_image_side;
  double wanted_rewrites = 0.1;  ///< share
  /// `--rewrite-when score<K` with this K rewrites about that share.
  double threshold = 0;
};

/// @param results  of run_trials   @param wanted_rewrites  in (0, 1)
Audit audit(const std::vector<TrialResult>& results, double wanted_rewrites, std::uint64_t seed);

std::string audit_to_json(const Audit& audit);
std::string render_audit(const Audit& audit);

}  // namespace aitqe
