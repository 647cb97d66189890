#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "aitqe/report/stats.h"

namespace aitqe {

/// Writes OUT/_aitqe/run.json: version, pinned configuration and model of the latest run.
void write_run_record(const std::filesystem::path& output_folder, const std::string& pinned_config,
                      const std::string& model_sha256);

/// The stats of a committed shard as `stats_to_json` wrote them, whatever ShardOutput added.
ShardStats read_stats(const nlohmann::ordered_json& committed_stats);

}  // namespace aitqe
