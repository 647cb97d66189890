#include "report_json.h"

#include <algorithm>
#include <cmath>

#include "aitqe/quality/policy.h"
#include "preview_json.h"
#include "summary_json.h"

namespace aitqe {
namespace {

constexpr std::size_t kMostGroups = 20;
constexpr double kNoLimit = -1.0;
constexpr std::size_t kMostExtremeShards = 10;
constexpr std::size_t kNumMeanBins = 36;  // quarters of a point from 1 to 10

Json tally_object(const NamedTally& group) {
  return {{"name", group.name},
          {"read", group.tally.read},
          {"rewritten", group.tally.rewritten},
          {"failed", group.tally.failed},
          {"mean_score", group.tally.mean_score()}};
}

Json tallies_array(const std::vector<NamedTally>& groups) {
  Json json = Json::array();
  for (const NamedTally& group : groups) json.push_back(tally_object(group));
  return json;
}

Json problems_array(const RunReport& report) {
  Json json = Json::array();
  for (const ShardProblem& problem : report.problems) {
    json.push_back({{"shard", problem.shard},
                    {"kind", problem.kind},
                    {"detail", problem.detail},
                    {"rerun_mends", problem.rerun_mends}});
  }
  return json;
}

Json dimensions_object(const Tallies& tallies) {
  Json json = Json::object();
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    json[std::string(score_field_name(static_cast<ScoreField>(i)))] = tallies.dimensions[i];
  }
  return json;
}

/// How many shards have a mean score in each quarter of a point.
Json shard_means(const Tallies& tallies) {
  std::array<std::int64_t, kNumMeanBins> bins{};
  for (const auto& [name, tally] : tallies.by_shard) {
    if (tally.scored == 0) continue;
    const double bin = std::floor((tally.mean_score() - 1.0) * 4);
    ++bins.at(static_cast<std::size_t>(std::clamp(bin, 0.0, double{kNumMeanBins - 1})));
  }
  return bins;
}

Json statistics_object(const CaptionStatistics& captions) {
  return {{"captions", captions.captions()},
          {"mean_words", captions.mean_words()},
          {"mean_characters", captions.mean_characters()},
          {"vocabulary", captions.vocabulary()},
          {"facts", captions.facts()},
          {"word_entropy_bits", captions.word_entropy_bits()},
          {"word_pair_entropy_bits", captions.word_pair_entropy_bits()},
          {"repeated_share", captions.repeated_share()}};
}

Json drift_object(const CaptionStatistics& before, const CaptionStatistics& after) {
  return {{"before", statistics_object(before)},
          {"after", statistics_object(after)},
          {"word_divergence_bits", CaptionStatistics::word_divergence_bits(before, after)},
          {"words_lost_share",
           CaptionStatistics::lost_words_share(before, after, CaptionStatistics::kAnyWord)},
          {"rare_words_lost_share",
           CaptionStatistics::lost_words_share(before, after, CaptionStatistics::kRareWord)},
          {"facts_lost_share", CaptionStatistics::lost_facts_share(before, after)}};
}

/// null unless a filter was asked about.
Json filter_object(const Tallies& tallies) {
  if (!tallies.filter) return nullptr;
  const FilterTally& filter = *tallies.filter;
  return {{"below", filter.below},
          {"left", filter.left},
          {"drift", drift_object(tallies.before, filter.captions)},
          {"by_source", tallies_array(filter.by_source.largest(kMostGroups))},
          {"by_language", tallies_array(filter.by_language.largest(kMostGroups))},
          {"by_script", tallies_array(filter.by_script.largest(kMostGroups))}};
}

Json folders_array(const RunReport& report) {
  Json json = Json::array();
  for (const auto& folder : report.folders) json.push_back(folder.name());
  return json;
}

}  // namespace

std::string verdict_name(const RunReport& report) {
  const auto outcome = report.outcome();
  if (!outcome) return "complete";
  if (*outcome == ErrorCategory::NoInput) return "empty";
  return *outcome == ErrorCategory::Resumable ? "incomplete" : "damaged";
}

std::vector<NamedTally> extreme_shards(const RunReport& report, bool is_best, std::size_t most) {
  std::vector<NamedTally> shards;
  for (const auto& [name, tally] : report.tallies.by_shard) {
    if (tally.scored > 0) shards.push_back({name, tally});
  }
  std::stable_sort(shards.begin(), shards.end(), [&](const NamedTally& a, const NamedTally& b) {
    return is_best ? a.tally.mean_score() > b.tally.mean_score()
                   : a.tally.mean_score() < b.tally.mean_score();
  });
  shards.resize(std::min(shards.size(), most));
  return shards;
}

Json report_object(const RunReport& report) {
  const auto outcome = report.outcome();
  const Tallies& tallies = report.tallies;
  Json json = {{"schema", kReportSchema},
               {"verdict", verdict_name(report)},
               {"exit_code", outcome ? exit_code(*outcome) : 0},
               {"folders", folders_array(report)},
               {"version", report.run.version},
               {"command", report.run.command},
               {"config", Json::parse(report.run.config)},
               {"config_sha256", report.run.config_sha256},
               {"model_sha256", report.run.model_sha256}};
  json["shards"] = {{"expected", report.shards_expected},
                    {"done", report.shards_done},
                    {"missing", report.missing}};
  json["problems"] = problems_array(report);
  json["max_failed_percent"] = report.max_failed_percent;
  json["duration_s"] = report.duration_s;
  json["summary"] = summary_object(report.summary);
  json["refused"] = report.summary.refused();
  json["mean_score"] = report.summary.mean_score();
  json["dimensions"] = dimensions_object(tallies);
  json["fine_score_bin"] = kFineScoreBin;
  json["fine_scores"] = tallies.fine_scores;
  json["caption_characters"] = {{"bin", kLengthBinCharacters},
                                {"before", tallies.length_before},
                                {"after", tallies.length_after}};
  json["shard_means"] = shard_means(tallies);
  json["worst_shards"] =
      tallies_array(extreme_shards(report, /*is_best=*/false, kMostExtremeShards));
  json["best_shards"] = tallies_array(extreme_shards(report, /*is_best=*/true, kMostExtremeShards));
  json["by_source"] = tallies_array(tallies.by_source.largest(kMostGroups));
  json["by_language"] = tallies_array(tallies.by_language.largest(kMostGroups));
  json["by_script"] = tallies_array(tallies.by_script.largest(kMostGroups));
  json["drift"] = {{"all", drift_object(tallies.before, tallies.after)},
                   {"rewritten", drift_object(tallies.rewritten_before, tallies.rewritten_after)}};
  json["filter"] = filter_object(tallies);
  json["drift_limits"] = {
      {"divergence_bits", report.drift_limits.divergence_bits.value_or(kNoLimit)},
      {"repeated_percent", report.drift_limits.repeated_percent.value_or(kNoLimit)},
      {"beyond", report.drift_beyond()}};
  if (report.preview) json["preview"] = preview_object(report);
  return json;
}

std::string report_to_json(const RunReport& report) {
  return report_object(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aitqe
