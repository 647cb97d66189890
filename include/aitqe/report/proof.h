#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/report/row.h"
#include "aitqe/report/run_file.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// What a shard's files do not bear out.
struct ShardProblem {
  std::string shard;
  /// A code: "not_done", "cut_off", "unreadable_input", "other_configuration", "other_model",
  /// "stats", "file", "sha256", "row", "row_order", "row_count", "summary", "tar", "key", "record",
  /// "two_folders".
  std::string kind;
  std::string detail;  ///< in words, with the place
  /// The same command would make the shard again and so mend it; otherwise somebody must look.
  bool rerun_mends = false;

  bool operator==(const ShardProblem&) const = default;
};

/// Told what was read while it is checked. Rows of a shard come first, then samples of its tar.
struct ProofListener {
  std::function<void(const ReportRow&)> row;
  std::function<void()> rows_end;
  /// @param row_index  `index` of the row that belongs to it
  std::function<void(const Sample&, std::int64_t row_index)> sample;
};

struct ShardProof {
  ShardStats stats;
  /// Empty: every file that the stats name has the size and hash that they tell; there is a row for
  /// each pair, in order; the rows come to the summary of the stats; and the tar holds the rows'
  /// keys in their order, each with its record.
  std::vector<ShardProblem> problems;
  bool is_counted = false;  ///< the rows were read: what the listener heard counts
};

/// Proves one shard of an output folder from its files alone. Reads every byte once, and keeps
/// sixteen bytes a row. Never throws for what is wrong with files: that is a problem.
/// @throws Error(Resumable), Error(Usage) where a folder in a bucket cannot be asked
/// (OutputFolder).
ShardProof prove_shard(const OutputFolder& folder, const std::string& shard, const RunFile& run,
                       const ProofListener& listener);

}  // namespace aitqe
