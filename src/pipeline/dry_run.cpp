#include "aitqe/pipeline/dry_run.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/version.h"
#include "trial_run.h"

namespace aitqe {

namespace {

/// What run.json would say.
RunFile run_file(const EnhanceOptions& options, const LoadedModel& model) {
  RunFile run;
  run.version = kVersion;
  run.config = pinned_config(options, model);
  run.config_sha256 = sha256_hex(run.config);
  run.model_sha256 = model.fingerprint;
  for (const ShardRef& shard : shards_to_do(options)) run.shards.push_back(shard.name);
  run.task_count = options.task.count;
  run.command = options.command;
  return run;
}

/// Judges the pairs that are drawn. Rows are all that is needed of them.
EnhanceResult judge_sample(const EnhanceOptions& options, const LoadedModel& model,
                           Progress& progress,
                           std::function<void(const EnhancedSample&)> listener) {
  EnhanceOptions sampled = options;
  sampled.shards = shards_to_do(options);
  sampled.write_shards = false;
  sampled.write_parquet = false;
  sampled.listener = std::move(listener);
  EnhanceResult result = try_out(std::move(sampled), model, progress);
  if (result.summary.read == 0) {
    throw Error(ErrorCategory::NoInput, "of " + std::to_string(result.pairs_passed_over) +
                                            " pairs none was drawn; a larger --sample draws more");
  }
  return result;
}

}  // namespace

DryRun dry_run(const EnhanceOptions& options, const LoadedModel& model,
               const DryRunOptions& dry_run_options, Progress& progress) {
  const SamplingOptions& sampling = options.reading.sampling;
  PreviewBuilder preview({run_file(options, model), options.rule, dry_run_options.with_images});
  const auto listener = [&preview](const EnhancedSample& pair) {
    preview.add(pair.row, pair.sample);
  };
  PreviewScope scope;
  scope.is_random = sampling.rate < 1.0;
  scope.rate = sampling.rate;
  scope.seed = sampling.seed;
  DryRun found;
  EnhanceOptions measured = options;
  if (!scope.is_random) measured.listener = listener;
  found.forecast = forecast(measured, model, dry_run_options.measure_s, progress);
  std::vector<ShardDamage> damage;
  if (scope.is_random) {
    const EnhanceResult judged = judge_sample(options, model, progress, listener);
    damage = judged.summary.damage;
    scope.pairs_in_input = judged.summary.read + judged.pairs_passed_over;
    auto pairs = static_cast<double>(scope.pairs_in_input);
    if (sampling.limit >= 0) pairs = std::min(pairs, static_cast<double>(sampling.limit));
    found.forecast.pairs_expected = pairs;
    found.forecast.run_s = pairs / found.forecast.pairs_per_s;
  } else {
    scope.pairs_in_input = std::llround(found.forecast.pairs_expected);
  }
  found.preview = preview.finish(scope, damage);
  return found;
}

std::string dry_run_to_json(const DryRun& found) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(forecast_to_json(found.forecast));
  json["preview"] = nlohmann::ordered_json::parse(preview_to_json(found.preview));
  return json.dump();
}

}  // namespace aitqe
