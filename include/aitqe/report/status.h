#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/io/output_folder.h"
#include "aitqe/report/run_file.h"
#include "aitqe/report/summary.h"

namespace aitqe {

inline constexpr std::string_view kStatusSchema = "aitqe.status/1";

/// A shard that somebody writes, or began to write before being stopped: which of the two cannot be
/// told from files; the age of its last write is a hint. Of output in a bucket, what this machine
/// knows.
struct ShardInProgress {
  std::string shard;
  /// Answered so far, by its journal; rows written out where the journal does not count.
  std::int64_t pairs = 0;
  std::int64_t bytes = 0;  ///< of its temporary files and its journal
  /// Since the latest write, by this machine's clock against the file system's; at least 0.
  double last_write_age_s = std::numeric_limits<double>::infinity();
};

/// A shard without output, and why.
struct MissingShard {
  std::string shard;
  std::int64_t index = 0;  ///< place in the run's list of shards, from 0
  /// "" where none is known: nobody has come to it yet, or it is in progress.
  std::string reason;
};

/// What an output folder says of its run, from the files alone; the run may be going on, on
/// whatever machine. Sizes of files are checked, their contents are not: that is `report`.
struct RunStatus {
  OutputFolder folder;
  RunFile run;
  std::int64_t shards_expected = 0;
  std::int64_t shards_done = 0;
  std::vector<MissingShard> missing;  ///< in progress or not
  std::vector<ShardInProgress> in_progress;
  Summary summary;  ///< of the shards that are done
  double duration_s = 0;
};

/// @throws Error(NoInput) for a folder in which no run of `enhance` or `score` has begun.
RunStatus read_status(const OutputFolder& folder);

/// `aitqe status --json` (docs/formats.md). Indented by two, ends with a newline.
std::string status_to_json(const RunStatus& status);

/// For the terminal; ends with a newline.
std::string render_status(const RunStatus& status);

/// Tasks of the missing shards as `sbatch --array` takes them, "1,3-5"; their indexes where one
/// task does all. "" when none is missing.
std::string slurm_indexes(const RunStatus& status);

}  // namespace aitqe
