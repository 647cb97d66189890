#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aitqe/select/finished_shards.h"
#include "aitqe/select/row_filter.h"

namespace aitqe {

struct SelectOptions {
  enum class Take { All, Worst, Best };

  RowFilter where;
  Take take = Take::All;
  /// Of the rows that `where` lets through and that have a score, rounded half up. 0 to 100.
  /// Negative: `count` counts.
  double percent = -1.0;
  std::int64_t count = 0;
  /// Rows that lack it are neither among the worst nor the best.
  const Column* score_column = &find_score_column("score_expected");
  /// Of ties: two rows with one score are told apart by a hash of seed, shard, key and index.
  std::uint64_t seed = 0;
};

struct SelectCounts {
  std::int64_t read = 0;
  std::int64_t matching = 0;  ///< that `where` lets through
  std::int64_t scored = 0;    ///< of those; counted for worst and best only
  std::int64_t selected = 0;
};

/// A row and where it is from.
struct SelectedRow {
  const FinishedShard& shard;
  /// Among the rows of its shard, and so among the samples of its tar; from 0.
  std::int64_t position = 0;
  const ReportRow& row;
  /// As it stands in NAME.aitqe.jsonl, without the line end.
  std::string_view line;
};

/// What is made of the selected rows, one thread at a time.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Before the rows of each shard, also where none of them is selected.
  virtual void begin_shard(const FinishedShard& shard) {}
  virtual void add(const SelectedRow& selected) = 0;
  /// After the last row: puts the output in place. Without it there is none.
  virtual void finish() = 0;
};

/// Gives the selected rows to the sinks, in the order of shards and rows, and finishes them. Reads
/// the rows once; twice for worst and best, with 16 bytes a scored row in memory in between.
/// @throws Error(Usage) when `percent` is above 100;
///         Error(Damaged) for rows that cannot be read; what the sinks throw.
SelectCounts select_rows(const std::vector<FinishedShard>& shards, const SelectOptions& options,
                         const std::vector<RowSink*>& sinks);

}  // namespace aitqe
