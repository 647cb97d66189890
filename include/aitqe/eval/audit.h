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
  /// By likely_language, the commonest first; languages of few captions are one group.
  std::vector<ScoreGroup> by_language;
  std::vector<ScoreGroup> by_image_side;
  double wanted_rewrites = 0.1;  ///< share
  /// `--rewrite-when score<K` with this K rewrites about that share.
  double threshold = 0;
  /// What it really rewrites: more or less, where many captions have one score.
  double rewritten_below_threshold = 0;
  /// Flaws of the mix that no caption could have.
  std::vector<Flaw> not_tried;
  Skipped skipped;
};

/// @param wanted_rewrites  in (0, 1)
/// @throws Error(NoInput) when no caption was judged.
Audit audit(const TrialRun& run, double wanted_rewrites, const TrialOptions& options);

std::string audit_to_json(const Audit& audit);
std::string render_audit(const Audit& audit);

}  // namespace aitqe
