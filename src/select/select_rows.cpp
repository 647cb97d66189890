#include "aitqe/select/select_rows.h"

#include <optional>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/quality/worst.h"
#include "aitqe/report/row_reader.h"

namespace aitqe {
namespace {

/// The two passes over the rows.
class Selection {
 public:
  Selection(const std::vector<FinishedShard>& shards, const SelectOptions& options)
      : shards_(shards), options_(options) {
    if (options.percent > 100.0) {
      throw Error(ErrorCategory::Usage, "cannot select more than 100 % of the rows");
    }
  }

  SelectCounts run(const std::vector<RowSink*>& sinks) {
    if (options_.take != SelectOptions::Take::All) find_border();
    counts_.read = counts_.matching = 0;
    for (const FinishedShard& shard : shards_) {
      for (RowSink* sink : sinks) sink->begin_shard(shard);
      RowReader reader(shard.rows_file());
      for (std::int64_t position = 0; const auto row = reader.next(); ++position) {
        if (!matches(*row) || !is_taken(*row)) continue;
        ++counts_.selected;
        for (RowSink* sink : sinks) sink->add({shard, position, *row, reader.line()});
      }
    }
    for (RowSink* sink : sinks) sink->finish();
    return counts_;
  }

 private:
  void find_border() {
    for (const FinishedShard& shard : shards_) {
      RowReader reader(shard.rows_file());
      while (const auto row = reader.next()) {
        if (!matches(*row)) continue;
        if (const auto rank = rank_of(*row)) lowest_.add(*rank);
      }
    }
    counts_.scored = static_cast<std::int64_t>(lowest_.size());
    lowest_.close(options_.percent >= 0.0 ? share_of(options_.percent, lowest_.size())
                                          : static_cast<std::size_t>(options_.count));
  }

  bool matches(const ReportRow& row) {
    ++counts_.read;
    if (!options_.where(row)) return false;
    ++counts_.matching;
    return true;
  }

  bool is_taken(const ReportRow& row) {
    if (options_.take == SelectOptions::Take::All) return true;
    const auto rank = rank_of(row);
    return rank && lowest_.take(*rank);
  }

  std::optional<Rank> rank_of(const ReportRow& row) const {
    const double score = std::get<double>(column_value(row, *options_.score_column));
    if (is_absent(score)) return std::nullopt;
    const Rank rank = worst_rank({row.shard, row.key, row.index, score}, options_.seed);
    return options_.take == SelectOptions::Take::Best ? rank.reversed() : rank;
  }

  const std::vector<FinishedShard>& shards_;
  const SelectOptions& options_;
  LowestRanks lowest_;
  SelectCounts counts_;
};

}  // namespace

SelectCounts select_rows(const std::vector<FinishedShard>& shards, const SelectOptions& options,
                         const std::vector<RowSink*>& sinks) {
  return Selection(shards, options).run(sinks);
}

}  // namespace aitqe
