#include "run_record.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"

namespace aitqe {

namespace {

nlohmann::ordered_json describe_run(const RunRecord& record) {
  const EnhanceResult& result = *record.result;
  return {{"pairs", result.summary.read},
          {"pairs_resumed", result.pairs_resumed},
          {"shards_done", result.shards_done},
          {"shards_done_before", result.shards_done_before},
          {"load_s", record.load_s},
          {"run_s", result.run_s},
          {"vision_s", result.times.vision_s},
          {"prefill_s", result.times.prefill_s},
          {"decode_s", result.times.decode_s},
          {"prompt_tokens", result.times.prompt_tokens},
          {"decode_rows", result.times.decode_rows},
          {"decode_steps", result.times.decode_steps}};
}

}  // namespace

void write_run_record(const std::filesystem::path& output_folder, const RunRecord& record) {
  nlohmann::ordered_json json = {{"schema", "aitqe.run/1"},
                                 {"version", AITQE_VERSION},
                                 {"config", nlohmann::ordered_json::parse(record.pinned_config)},
                                 {"model_sha256", record.model_sha256}};
  if (record.result != nullptr) json["last_run"] = describe_run(record);
  const std::filesystem::path folder = output_folder / "_aitqe";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCategory::Output, folder.string() + ": cannot be made: " + error.message());
  }
  remove_dead_temporaries(folder / "run.json");
  write_atomically(folder / "run.json", json.dump(2) + "\n");
}

ShardStats read_stats(const nlohmann::ordered_json& committed_stats) {
  return stats_from_json(committed_stats.dump());
}

}  // namespace aitqe
