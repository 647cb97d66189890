#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "aitqe/report/stats.h"

namespace aitqe {

/// A committed shard of a run's output folder.
struct FinishedShard {
  std::filesystem::path folder;
  ShardStats stats;

  const std::string& name() const { return stats.shard; }
  std::filesystem::path rows_file() const { return folder / (name() + ".aitqe.jsonl"); }
  std::filesystem::path tar_file() const { return folder / (name() + ".tar"); }
  /// False after `aitqe score`, which writes no tars.
  bool has_tar() const;
};

/// The shards of the output folders of `aitqe enhance` or `aitqe score`, in the order of the
/// folders and in each by name. Hashes are not checked.
/// @throws Error(NoInput) when a folder holds none; Error(Usage) when one has a shard that is not
///         finished, or two have a shard of the same name.
std::vector<FinishedShard> finished_shards(const std::vector<std::filesystem::path>& folders);

}  // namespace aitqe
