#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "aitqe/pipeline/enhance.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// What OUT/_aitqe/run.json says of the latest run.
struct RunRecord {
  std::string pinned_config;  ///< JSON
  std::string model_sha256;
  int task_count = 1;
  double load_s = 0;
  /// Null while the run goes on; then what it did and took ("last_run").
  const EnhanceResult* result = nullptr;
};

/// @throws Error(Output) when the folder or the file cannot be written.
void write_run_record(const std::filesystem::path& output_folder, const RunRecord& record);

/// @throws Error(Usage) when the job of this folder was cut into another number of tasks; one task
/// may always do all that is left.
void require_task_count(const std::filesystem::path& output_folder, int count);

/// The stats of a committed shard.
ShardStats read_stats(const nlohmann::ordered_json& committed_stats);

}  // namespace aitqe
