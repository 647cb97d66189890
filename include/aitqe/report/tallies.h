#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/report/drift.h"
#include "aitqe/report/row.h"
#include "aitqe/report/summary.h"

namespace aitqe {

/// Captions of 0-9, 10-19, ... characters; the last bin is open.
inline constexpr std::size_t kNumLengthBins = 21;
inline constexpr std::int64_t kLengthBinCharacters = 10;
/// Scores from 1 to 10 in steps of 0.05: what a threshold would do is told from these.
inline constexpr std::size_t kNumFineScoreBins = 180;
inline constexpr double kFineScoreBin = 0.05;

/// Pairs that have something in common.
struct GroupTally {
  std::int64_t read = 0;
  std::int64_t rewritten = 0;
  std::int64_t failed = 0;
  std::int64_t scored = 0;
  std::int64_t score_sum_millionths = 0;

  void add(const ReportRow& row);
  void merge(const GroupTally& other);
  /// kNoScore without scored pairs.
  double mean_score() const;

  bool operator==(const GroupTally&) const = default;
};

struct NamedTally {
  std::string name;
  GroupTally tally;
};

/// Groups by a name that comes out of the data. At most `most_names` are kept apart: once so many
/// are known, pairs of further ones are counted together.
class GroupTallies {
 public:
  explicit GroupTallies(std::size_t most_names) : most_names_(most_names) {}

  void add(std::string_view name, const ReportRow& row);

  /// The groups with the most pairs, at most `most`, and the others as one ("N others") behind
  /// them.
  std::vector<NamedTally> largest(std::size_t most) const;
  std::size_t num_names() const { return tallies_.size(); }

 private:
  std::size_t most_names_;
  std::map<std::string, GroupTally, std::less<>> tallies_;
  GroupTally beyond_;
};

/// The host of a URL, without user, port and leading "www."; what stands before the colon of
/// another name ("openclipart:food/egg.svg"); "" where there is neither.
std::string source_of(std::string_view url);

/// What a filter would leave: the pairs with a score of at least `below`. Pairs without a score,
/// and failed ones, are filtered out.
struct FilterTally {
  explicit FilterTally(double score) : below(score) {}

  /// @param source  @param language  of the row's caption as it was read; "" for none
  void add(const ReportRow& row, const std::string& source, std::string_view language);

  double below;
  std::int64_t left = 0;
  CaptionStatistics captions;  ///< as they were read
  GroupTallies by_source{20'000};
  GroupTallies by_language{200};
  GroupTallies by_script{100};
};

/// What the report shows beside the summary. Memory does not grow with the number of pairs.
class Tallies {
 public:
  /// The rows of one shard after the other.
  void add(const ReportRow& row);

  using ScoreBins = std::array<std::int64_t, kNumScoreBins>;
  using LengthBins = std::array<std::int64_t, kNumLengthBins>;

  /// By ScoreField: the scores that the model wrote.
  std::array<ScoreBins, kNumScoreFields> dimensions{};
  /// Pairs that did not fail, by best_score.
  std::array<std::int64_t, kNumFineScoreBins> fine_scores{};
  LengthBins length_before{};
  LengthBins length_after{};
  GroupTallies by_source{20'000};
  GroupTallies by_language{200};
  GroupTallies by_script{100};
  std::map<std::string, GroupTally> by_shard;
  CaptionStatistics before;
  CaptionStatistics after;
  CaptionStatistics rewritten_before;
  CaptionStatistics rewritten_after;
  std::optional<FilterTally> filter;
};

}  // namespace aitqe
