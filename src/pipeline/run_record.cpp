#include "run_record.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

fs::path record_path(const fs::path& output_folder) {
  return output_folder / "_aitqe" / "run.json";
}

/// Not an object where there is none that can be read.
nlohmann::ordered_json read_record(const fs::path& output_folder) {
  std::ifstream file(record_path(output_folder));
  return nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
}

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
  // A run over all that is left does not change how the job is cut.
  const int task_count =
      record.task_count > 1 ? record.task_count : std::max(1, pinned_task_count(output_folder));
  nlohmann::ordered_json json = {{"schema", "aitqe.run/1"},
                                 {"version", AITQE_VERSION},
                                 {"config", nlohmann::ordered_json::parse(record.pinned_config)},
                                 {"model_sha256", record.model_sha256},
                                 {"task_count", task_count}};
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

int pinned_task_count(const std::filesystem::path& output_folder) {
  const nlohmann::ordered_json record = read_record(output_folder);
  if (!record.is_object() || !record.contains("task_count")) return 0;
  const auto& count = record["task_count"];
  return count.is_number_unsigned() ? count.get<int>() : 0;
}

void require_task_count(const std::filesystem::path& output_folder, int count) {
  const int pinned = pinned_task_count(output_folder);
  if (pinned <= 1 || count == 1 || pinned == count) return;
  throw Error(ErrorCategory::Usage, output_folder.string() + ": the job was begun as " +
                                        std::to_string(pinned) + " tasks, this is one of " +
                                        std::to_string(count) +
                                        " (--task-count; --overwrite begins anew)");
}

ShardStats read_stats(const nlohmann::ordered_json& committed_stats) {
  return stats_from_json(committed_stats.dump());
}

}  // namespace aitqe
