#include "aitqe/report/summary.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "summary_json.h"

namespace aitqe {
namespace {

std::int64_t count_words(std::string_view text) {
  std::int64_t words = 0;
  bool is_in_word = false;
  for (const char c : text) {
    const bool is_space = std::string_view(" \t\n\r\f\v").find(c) != std::string_view::npos;
    if (!is_space && !is_in_word) ++words;
    is_in_word = !is_space;
  }
  return words;
}

bool comes_before(const ShardDamage& a, const ShardDamage& b) {
  return std::tie(a.shard, a.kind, a.bytes, a.pairs_lost) <
         std::tie(b.shard, b.kind, b.bytes, b.pairs_lost);
}

Json counts_to_json(const std::map<std::string, std::int64_t>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

std::map<std::string, std::int64_t> counts_from_json(const Json& json, const std::string& where) {
  JsonFields fields(json, where);
  std::map<std::string, std::int64_t> counts;
  for (const auto& [name, count] : json.items()) counts[name] = fields.integer(name);
  return counts;
}

ShardDamage damage_from_json(const Json& json) {
  JsonFields fields(json, "damage");
  ShardDamage damage;
  damage.shard = fields.text("shard");
  damage.kind = fields.text("kind");
  damage.bytes = fields.integer("bytes");
  damage.pairs_lost = fields.integer("pairs_lost");
  fields.finish();
  return damage;
}

/// Names, in order, of the plain counts.
struct Count {
  const char* name;
  std::int64_t Summary::*member;
};
constexpr Count kCounts[] = {
    {"read", &Summary::read},
    {"kept", &Summary::kept},
    {"rewritten", &Summary::rewritten},
    {"failed", &Summary::failed},
    {"scored", &Summary::scored},
    {"score_sum_millionths", &Summary::score_sum_millionths},
    {"words_before", &Summary::words_before},
    {"words_after", &Summary::words_after},
    {"captions_missing", &Summary::captions_missing},
    {"captions_with_special_tokens", &Summary::captions_with_special_tokens},
    {"captions_suspect", &Summary::captions_suspect},
};

}  // namespace

double best_score(const ReportRow& row) {
  if (row.score_expected >= 0.0) return row.score_expected;
  if (row.score_forced >= 0.0) return row.score_forced;
  return row.scores.overall;
}

std::size_t score_bin(double score) {
  const double bin = std::floor(score + 0.5) - 1.0;
  return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(kNumScoreBins - 1)));
}

std::string failure_kind(const RowFailure& failure) {
  return failure.stage + ": " + failure.reason.substr(0, failure.reason.find(':'));
}

void Summary::add(const ReportRow& row) {
  ++read;
  if (row.decision == Decision::Failed) {
    ++failed;
    ++failures[failure_kind(row.failure)];
  } else {
    ++(row.decision == Decision::Keep ? kept : rewritten);
    ++reasons[row.reason];
  }
  if (row.decision == Decision::Rewrite) {
    words_before += count_words(row.caption);
    words_after += count_words(row.caption_out);
  }
  captions_missing += row.caption_present ? 0 : 1;
  captions_with_special_tokens += row.special_token_in_caption ? 1 : 0;
  captions_suspect += row.injection_suspect ? 1 : 0;
  const double score = best_score(row);
  if (!(score >= 0.0) || !std::isfinite(score)) return;
  ++scored;
  ++score_histogram[score_bin(score)];
  score_sum_millionths += std::llround(score * kMillionths);
}

void Summary::add_damage(ShardDamage found) {
  const auto place = std::upper_bound(damage.begin(), damage.end(), found, comes_before);
  damage.insert(place, std::move(found));
}

void Summary::merge(const Summary& other) {
  for (const Count& count : kCounts) this->*count.member += other.*count.member;
  for (const auto& [name, count] : other.failures) failures[name] += count;
  for (const auto& [name, count] : other.reasons) reasons[name] += count;
  for (std::size_t i = 0; i < kNumScoreBins; ++i) score_histogram[i] += other.score_histogram[i];
  std::vector<ShardDamage> merged;
  std::merge(damage.begin(), damage.end(), other.damage.begin(), other.damage.end(),
             std::back_inserter(merged), comes_before);
  damage = std::move(merged);
}

std::int64_t Summary::refused() const {
  std::int64_t refused = 0;
  for (const auto& [reason, pairs] : reasons) {
    if (reason.starts_with("rewrite_")) refused += pairs;
  }
  return refused;
}

double Summary::mean_score() const {
  if (scored == 0) return kNoScore;
  return static_cast<double>(score_sum_millionths) / kMillionths / static_cast<double>(scored);
}

Json summary_object(const Summary& summary) {
  Json json = Json::object();
  json["schema"] = kSummarySchema;
  for (const Count& count : kCounts) json[count.name] = summary.*count.member;
  json["score_histogram"] = summary.score_histogram;
  json["reasons"] = counts_to_json(summary.reasons);
  json["failures"] = counts_to_json(summary.failures);
  json["damage"] = Json::array();
  for (const ShardDamage& damage : summary.damage) {
    json["damage"].push_back({{"shard", damage.shard},
                              {"kind", damage.kind},
                              {"bytes", damage.bytes},
                              {"pairs_lost", damage.pairs_lost}});
  }
  return json;
}

Summary summary_from_object(const Json& json) {
  JsonFields fields(json, "summary");
  fields.schema(kSummarySchema);
  Summary summary;
  for (const Count& count : kCounts) summary.*count.member = fields.integer(count.name);
  const Json& histogram = fields.array("score_histogram");
  const auto is_count = [](const Json& value) { return value.is_number_integer(); };
  if (histogram.size() != kNumScoreBins ||
      !std::all_of(histogram.begin(), histogram.end(), is_count)) {
    throw Error(ErrorCategory::Damaged, fields.path("score_histogram") + " must be " +
                                            std::to_string(kNumScoreBins) + " integers");
  }
  for (std::size_t i = 0; i < kNumScoreBins; ++i) {
    summary.score_histogram[i] = histogram[i].get<std::int64_t>();
  }
  summary.reasons = counts_from_json(fields.object("reasons"), fields.path("reasons"));
  summary.failures = counts_from_json(fields.object("failures"), fields.path("failures"));
  for (const Json& damage : fields.array("damage")) summary.add_damage(damage_from_json(damage));
  fields.finish();
  return summary;
}

std::string summary_to_json(const Summary& summary) {
  return summary_object(summary).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Summary summary_from_json(std::string_view json) {
  return summary_from_object(JsonFields::parse(json, "summary"));
}

}  // namespace aitqe
