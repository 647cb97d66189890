#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "aitqe/io/shards.h"
#include "aitqe/pipeline/enhance.h"
#include "aitqe/pipeline/loaded_model.h"

namespace aitqe {

/// What is in the shards that a run has yet to do, told from the first pairs of some of them.
struct InputSurvey {
  /// Estimates; only shards that were looked at have one.
  std::map<std::string, double> pairs_of_shard;
  double num_pairs = 0;  ///< of all shards, `--limit` taken into account
  std::vector<ShardRef> looked_at;
};

/// Shards whose size says nothing (streams, compressed tars) cannot be surveyed.
/// @throws Error(Usage) naming the first of them; Error(NoInput) when no pair is found.
InputSurvey survey_input(const EnhanceOptions& options);

struct Forecast {
  std::int64_t pairs_measured = 0;
  std::int64_t shards_measured = 0;
  double pairs_expected = 0;
  double pairs_per_s = 0;
  double load_s = 0;
  double run_s = 0;  ///< of the whole input, without loading
};

/// How long `options` would take: runs the pipeline, as it will run, over the first pairs of some
/// shards (each by its share of the input) for about `measure_s`, into a temporary folder, and
/// scales. Shards that are done already do not count; a sampling rate is left out of account.
/// `options.listener` hears the pairs that were measured.
/// @throws as survey_input; Error(Resumable) when stopped.
Forecast forecast(const EnhanceOptions& options, const LoadedModel& model, double measure_s,
                  Progress& progress);

/// One JSON object, `aitqe.forecast/2` without its preview, without a newline.
std::string forecast_to_json(const Forecast& forecast);

}  // namespace aitqe
