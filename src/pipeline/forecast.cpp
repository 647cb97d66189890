#include "aitqe/pipeline/forecast.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/io/url.h"
#include "trial_run.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostShards = 32;
/// Of a shard, to tell how large its pairs are.
constexpr std::int64_t kSurveyedBytes = std::int64_t{64} << 20;
constexpr double kWarmUpPairs = 48;
constexpr double kLeastMeasured = 16;

std::int64_t size_of(const ShardRef& shard) {
  return static_cast<std::int64_t>(fs::file_size(shard.url));
}

/// Shards still to do, all of a size that says something.
std::vector<ShardRef> shards_with_size(const EnhanceOptions& options) {
  std::vector<ShardRef> shards = shards_to_do(options);
  for (const ShardRef& shard : shards) {
    if (fs::is_regular_file(shard.url) && shard.url.ends_with(".tar")) continue;
    throw Error(ErrorCategory::Usage,
                without_secrets(shard.url) +
                    ": its size does not tell how many pairs it has; a forecast needs "
                    "uncompressed tars in files");
  }
  return shards;
}

/// At most kMostShards, spread evenly over the bytes of all.
std::vector<ShardRef> spread(const std::vector<ShardRef>& shards) {
  if (shards.size() <= kMostShards) return shards;
  double all_bytes = 0;
  for (const ShardRef& shard : shards) all_bytes += static_cast<double>(size_of(shard));
  std::vector<ShardRef> chosen;
  double before = 0;
  for (const ShardRef& shard : shards) {
    const double next_mark =
        (static_cast<double>(chosen.size()) + 0.5) * all_bytes / static_cast<double>(kMostShards);
    before += static_cast<double>(size_of(shard));
    if (before >= next_mark && chosen.size() < kMostShards) chosen.push_back(shard);
  }
  return chosen;
}

/// Pairs of a shard: counted where it is small, else by the size of the first ones.
double estimate_pairs(const ShardRef& shard, const TarReaderOptions& tar) {
  const std::unique_ptr<Source> source = open_source(shard);
  LossLog losses;
  TarReader members(*source, losses, tar);
  SampleReader samples(members);
  std::int64_t bytes = 0;
  int num_pairs = 0;
  while (bytes < kSurveyedBytes) {
    const auto sample = samples.next();
    if (!sample) return num_pairs;  // that was all of it
    bytes += sample->tar_bytes();
    ++num_pairs;
  }
  return static_cast<double>(size_of(shard)) * num_pairs / static_cast<double>(bytes);
}

/// A run over about `num_pairs`, every surveyed shard by its share.
EnhanceResult measure(const EnhanceOptions& options, const LoadedModel& model,
                      const InputSurvey& survey, double num_pairs, Progress& progress) {
  EnhanceOptions measured = options;
  measured.shards = survey.looked_at;
  measured.reading.sampling.rate = 1.0;
  double surveyed = 0;
  for (const auto& [name, pairs] : survey.pairs_of_shard) surveyed += pairs;
  for (const auto& [name, pairs] : survey.pairs_of_shard) {
    measured.reading.sampling.most_of_shard[name] =
        std::max<std::int64_t>(1, std::llround(num_pairs * pairs / surveyed));
  }
  return try_out(std::move(measured), model, progress);
}

double rate_of(const EnhanceResult& result) {
  return static_cast<double>(result.summary.read) / result.run_s;
}

}  // namespace

InputSurvey survey_input(const EnhanceOptions& options) {
  const std::vector<ShardRef> shards = shards_with_size(options);
  InputSurvey survey;
  double surveyed_bytes = 0;
  double all_bytes = 0;
  for (const ShardRef& shard : shards) all_bytes += static_cast<double>(size_of(shard));
  double surveyed_pairs = 0;
  for (const ShardRef& shard : spread(shards)) {
    const double pairs = estimate_pairs(shard, options.reading.tar);
    surveyed_bytes += static_cast<double>(size_of(shard));
    surveyed_pairs += pairs;
    if (pairs < 1) continue;
    survey.pairs_of_shard[shard.name] = pairs;
    survey.looked_at.push_back(shard);
  }
  if (survey.looked_at.empty()) throw Error(ErrorCategory::NoInput, "no pair is left to do");
  const SamplingOptions& sampling = options.reading.sampling;
  survey.num_pairs = surveyed_pairs * all_bytes / surveyed_bytes;
  if (sampling.limit >= 0) {
    survey.num_pairs = std::min(survey.num_pairs, static_cast<double>(sampling.limit));
  }
  return survey;
}

Forecast forecast(const EnhanceOptions& options, const LoadedModel& model, double measure_s,
                  Progress& progress) {
  const InputSurvey survey = survey_input(options);
  EnhanceOptions unheard = options;
  unheard.listener = nullptr;
  // Fills caches and tells roughly how many pairs can be measured.
  const double rough = rate_of(measure(unheard, model, survey, kWarmUpPairs, progress));
  const double most = std::max(kLeastMeasured, survey.num_pairs);
  const EnhanceResult measured = measure(
      options, model, survey, std::clamp(rough * measure_s, kLeastMeasured, most), progress);
  if (measured.summary.read == 0) {
    throw Error(ErrorCategory::NoInput, "no pair was taken to forecast from");
  }
  Forecast forecast;
  forecast.pairs_measured = measured.summary.read;
  forecast.shards_measured = measured.shards_done;
  forecast.pairs_expected = survey.num_pairs;
  forecast.pairs_per_s = rate_of(measured);
  forecast.load_s = model.load_s;
  forecast.run_s = forecast.pairs_expected / forecast.pairs_per_s;
  return forecast;
}

std::string forecast_to_json(const Forecast& forecast) {
  const nlohmann::ordered_json json = {{"schema", "aitqe.forecast/2"},
                                       {"pairs_measured", forecast.pairs_measured},
                                       {"shards_measured", forecast.shards_measured},
                                       {"pairs_expected", std::round(forecast.pairs_expected)},
                                       {"pairs_per_s", forecast.pairs_per_s},
                                       {"load_s", forecast.load_s},
                                       {"run_s", forecast.run_s}};
  return json.dump();
}

}  // namespace aitqe
