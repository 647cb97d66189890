#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/report/row.h"

namespace aitqe {

/// Sums of scores are kept in whole millionths, so that no order of adding changes them.
inline constexpr double kMillionths = 1e6;

inline constexpr std::string_view kSummarySchema = "aitqe.summary/2";
/// Histogram bins: the scale 1-10, a score rounded half up, anything beyond in the end bins.
inline constexpr std::size_t kNumScoreBins = 10;

/// Where an archive does not tell how many pairs it lost: cut between two, or with a hole in it.
inline constexpr std::int64_t kPairsUnknown = -1;

/// score_expected, else score_forced, else the overall score; kNoScore without any.
double best_score(const ReportRow& row);

/// Which bin of a histogram a score falls into.
std::size_t score_bin(double score);

/// "stage: code", the code being the reason up to the first ':'.
std::string failure_kind(const RowFailure& failure);

/// Something an input shard lost or had wrong.
struct ShardDamage {
  std::string shard;
  std::string kind;  ///< "truncated_input", "data_after_end_marker", ...
  std::int64_t bytes = 0;
  std::int64_t pairs_lost = 0;  ///< that lack a member now; kPairsUnknown

  bool operator==(const ShardDamage&) const = default;
};

/// Counts over rows. Adding and merging in any order gives the same bytes: sums are integers.
struct Summary {
  std::int64_t read = 0;  ///< rows added: kept + rewritten + failed
  std::int64_t kept = 0;
  std::int64_t rewritten = 0;
  std::int64_t failed = 0;
  /// failure_kind -> rows.
  std::map<std::string, std::int64_t> failures;
  /// Verdict reason -> rows; failed rows are not in here.
  std::map<std::string, std::int64_t> reasons;
  /// By best_score; rows with none are not in here.
  std::array<std::int64_t, kNumScoreBins> score_histogram{};
  std::int64_t scored = 0;
  std::int64_t score_sum_millionths = 0;
  /// Words (split at ASCII white space) of the captions of rewritten pairs.
  std::int64_t words_before = 0;
  std::int64_t words_after = 0;
  std::int64_t captions_missing = 0;
  std::int64_t captions_with_special_tokens = 0;
  std::int64_t captions_suspect = 0;  ///< of injection (quality/injection.h)
  /// Sorted by shard, kind, bytes.
  std::vector<ShardDamage> damage;

  void add(const ReportRow& row);
  void add_damage(ShardDamage found);
  void merge(const Summary& other);

  /// kNoScore without scored rows.
  double mean_score() const;
  /// Of the kept ones: a rewrite was due, and was missing, cut off, or refused by a guard.
  std::int64_t refused() const;

  bool operator==(const Summary&) const = default;
};

/// One JSON object, keys always in the same order, without a newline.
std::string summary_to_json(const Summary& summary);
/// @throws Error(Damaged) naming what is wrong.
Summary summary_from_json(std::string_view json);

/// At most a screenful (24 lines of 80 columns) for the terminal: counts, scores, caption length,
/// the most frequent failures, damage. Plain ASCII save for names out of the data; ends with a
/// newline.
std::string render_text(const Summary& summary);

}  // namespace aitqe
