#include "run_record.h"

#include <nlohmann/json.hpp>

#include "aitqe/io/sink.h"

namespace aitqe {

void write_run_record(const std::filesystem::path& output_folder, const std::string& pinned_config,
                      const std::string& model_sha256) {
  const nlohmann::ordered_json record = {{"schema", "aitqe.run/1"},
                                         {"version", AITQE_VERSION},
                                         {"config", nlohmann::ordered_json::parse(pinned_config)},
                                         {"model_sha256", model_sha256}};
  const std::filesystem::path folder = output_folder / "_aitqe";
  std::filesystem::create_directories(folder);
  write_atomically(folder / "run.json", record.dump(2) + "\n");
}

ShardStats read_stats(const nlohmann::ordered_json& committed_stats) {
  return stats_from_json(committed_stats.dump());
}

}  // namespace aitqe
