#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "aitqe/pipeline/enhance.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// What OUT/_aitqe/run.json says of the latest run.
struct RunRecord {
  std::string pinned_config;  ///< JSON
  std::string model_sha256;
  int task_count = 1;
  /// Names of the run's shards, all of them. Those that an earlier run of the same configuration
  /// and model pinned are kept before them: a run over a part is no smaller job.
  std::vector<std::string> shards;
  std::string command;  ///< as typed; "" where it is not known
  double load_s = 0;
  /// Null while the run goes on; then what it did and took (the rest of "last_run").
  const EnhanceResult* result = nullptr;
};

/// The record of a run with these options.
RunRecord make_run_record(const EnhanceOptions& options, const LoadedModel& model);

/// Any number of processes at once: each adds the shards that it names.
/// @return the names of all shards of the job, in their order
/// @throws Error(Output) when the folder or the file cannot be written.
std::vector<std::string> write_run_record(const OutputFolder& output_folder,
                                          const RunRecord& record);

/// @throws Error(Usage) when the job of this folder was cut into another number of tasks; one task
/// may always do all that is left.
void require_task_count(const OutputFolder& output_folder, int count);

/// @throws Error(Usage) when the folder was begun with another configuration or model, and is not
/// to be made anew.
void require_own_folder(const EnhanceOptions& options, const RunRecord& record);

/// The stats of a committed shard.
ShardStats read_stats(const nlohmann::ordered_json& committed_stats);

}  // namespace aitqe
