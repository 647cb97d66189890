#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aitqe/data/caption.h"
#include "aitqe/data/skipped.h"
#include "aitqe/eval/auroc.h"
#include "aitqe/eval/trial.h"
#include "aitqe/pipeline/judge.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/progress.h"

namespace aitqe {

struct EvalOptions {
  std::vector<ShardRef> shards;  ///< captioned; files
  CaptionSource caption_source;
  TrialOptions trials;
  JudgeOptions judge;
  std::int64_t limit = -1;  ///< images, taken from all over the shards by the seed; -1 = all
  int num_workers = 2;
};

/// What the model made of one trial.
struct TrialResult {
  std::string key;
  std::string source;
  std::string kind;
  std::string caption;
  std::string truth;
  double score = -1;           ///< behind the score key, whether the model rewrote or not
  double score_expected = -1;  ///< as in report rows: behind the recaption where there is one
  double p_rewrite = -1;
  bool rewrites = false;  ///< the model's own decision
  std::string recaption;  ///< "" when there is none
  std::int64_t image_width_px = 0;
  std::int64_t image_height_px = 0;
  /// Why there is no answer ("image: ..."), or why the answer is none of use ("answer: ..."; the
  /// probabilities are there, and nothing was rewritten). "" when all is well.
  std::string failure;

  /// The model was asked: its probabilities count.
  bool is_answered() const { return p_rewrite >= 0 && score >= 0; }
};

std::string trial_to_json(const TrialResult& result);

struct TrialRun {
  std::vector<TrialResult> results;  ///< in the order of the shards
  Skipped skipped;                   ///< samples that give no trial
};

/// Judges all trials. Fields of a pair's json that have another form than ours are not looked at.
/// @throws as enhance.
TrialRun run_trials(const EvalOptions& options, const LoadedModel& model, Progress& progress);

/// How well one kind of bad caption is told from good ones.
struct KindFigures {
  std::int64_t num_images = 0;
  Estimate by_score;         ///< AUROC
  Estimate by_p_rewrite;     ///< AUROC
  Estimate rewritten;        ///< share of the bad ones that the model rewrites
  double by_length = 0;      ///< AUROC of a rule: longer captions are better
  double by_junk_words = 0;  ///< AUROC of a rule: file names, digits, advertising words are bad
};

/// Figures of one set of images: of a source, or of all.
struct EvalFigures {
  std::int64_t num_good = 0;
  Estimate kept;  ///< share of good captions that the model keeps; an answer of no use keeps none
  std::map<std::string, KindFigures> by_kind;
  Estimate control;  ///< AUROC of mismatches under other images: 0.5 when the image is looked at
  std::int64_t failed = 0;  ///< trials without an answer of use
};

/// @param source  "" for all
EvalFigures summarise(const std::vector<TrialResult>& results, const std::string& source,
                      std::uint64_t seed);

/// Figures by source, "" for all, as JSON and as a table for people.
std::string figures_to_json(const std::map<std::string, EvalFigures>& by_source,
                            const Skipped& skipped);
std::string render_figures(const std::map<std::string, EvalFigures>& by_source);

}  // namespace aitqe
