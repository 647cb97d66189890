#include "run_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/log.h"
#include "aitqe/base/version.h"
#include "aitqe/report/run_file.h"
#include "task_share.h"

namespace aitqe {

namespace {

nlohmann::ordered_json describe_run(const RunRecord& record) {
  nlohmann::ordered_json run = {{"command", record.command}};
  if (record.result == nullptr) return run;
  const EnhanceResult& result = *record.result;
  run.update({{"pairs", result.summary.read},
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
              {"decode_steps", result.times.decode_steps}});
  return run;
}

/// Held while a record is read and written again. Of a file, since NFS locks no folders; the file
/// goes with its holder.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder) : path_(folder / ".lock") {
    constexpr int kMostTries = 1000;
    for (int attempt = 0; attempt < kMostTries && !is_held_; ++attempt) {
      if (descriptor_ >= 0) ::close(descriptor_);
      descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
      if (descriptor_ < 0) return;
      while (flock(descriptor_, LOCK_EX) != 0) {
        if (errno != EINTR) return;  // there are no locks here, and nobody has one
      }
      struct stat info {};
      is_held_ = fstat(descriptor_, &info) == 0 && info.st_nlink > 0;  // else its holder removed it
    }
  }
  ~FolderLock() {
    if (descriptor_ < 0) return;
    ::unlink(path_.c_str());
    ::close(descriptor_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  bool is_held() const { return is_held_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool is_held_ = false;
};

/// Nothing where the folder was begun anew: by another configuration, or with a torn record.
std::vector<std::string> pinned_before(const OutputFolder& output_folder, const RunRecord& record) {
  try {
    const auto before = read_run_file(output_folder);
    const bool goes_on = before && before->config_sha256 == sha256_hex(record.pinned_config) &&
                         before->model_sha256 == record.model_sha256;
    return goes_on ? before->shards : std::vector<std::string>{};
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::Damaged) throw;
    return {};
  }
}

/// @return the shards that the record pins now
std::vector<std::string> add_to_record(const OutputFolder& output_folder, const RunRecord& record) {
  // A run over all that is left does not change how the job is cut.
  const int task_count =
      record.task_count > 1 ? record.task_count : std::max(1, pinned_task_count(output_folder));
  std::vector<std::string> shards = joined(pinned_before(output_folder, record), record.shards);
  const nlohmann::ordered_json json = {
      {"schema", kRunSchema},
      {"version", kVersion},
      {"config", nlohmann::ordered_json::parse(record.pinned_config)},
      {"model_sha256", record.model_sha256},
      {"task_count", task_count},
      {"shards", shards},
      {"last_run", describe_run(record)}};
  write_run_file(output_folder, json.dump(2) + "\n");
  return shards;
}

/// Where nothing is locked, a run that read the record before we wrote it drops our shards from it:
/// looked at again after a while that differs from run to run.
std::vector<std::string> add_without_lock(const OutputFolder& output_folder,
                                          const RunRecord& record) {
  constexpr int kMostTries = 8;
  std::mt19937 random(std::random_device{}());
  std::vector<std::string> shards;
  for (int attempt = 0; attempt < kMostTries; ++attempt) {
    shards = add_to_record(output_folder, record);
    std::this_thread::sleep_for(
        std::chrono::milliseconds(std::uniform_int_distribution(50, 200)(random)));
    const std::vector<std::string> found = pinned_before(output_folder, record);
    if (joined(found, record.shards).size() == found.size()) return found;
  }
  return shards;
}

}  // namespace

RunRecord make_run_record(const EnhanceOptions& options, const LoadedModel& model) {
  RunRecord record;
  record.pinned_config = pinned_config(options, model);
  record.model_sha256 = model.fingerprint;
  record.task_count = options.task.count;
  for (const ShardRef& shard : options.shards) record.shards.push_back(shard.name);
  record.command = options.command;
  record.load_s = model.load_s;
  return record;
}

std::vector<std::string> write_run_record(const OutputFolder& output_folder,
                                          const RunRecord& record) {
  const std::filesystem::path folder = output_folder.work_folder() / "_aitqe";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCategory::Output, folder.string() + ": cannot be made: " + error.message());
  }
  const FolderLock lock(folder);
  // A lock on this machine is none on a bucket.
  const bool is_alone = lock.is_held() && output_folder.is_local();
  return is_alone ? add_to_record(output_folder, record) : add_without_lock(output_folder, record);
}

int pinned_task_count(const OutputFolder& output_folder) {
  try {
    const auto run = read_run_file(output_folder);
    return run ? run->task_count : 0;
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::Damaged) throw;
    return 0;
  }
}

void require_task_count(const OutputFolder& output_folder, int count) {
  const int pinned = pinned_task_count(output_folder);
  if (pinned <= 1 || count == 1 || pinned == count) return;
  throw Error(ErrorCategory::Usage, output_folder.name() + ": the job was begun as " +
                                        std::to_string(pinned) + " tasks, this is one of " +
                                        std::to_string(count) +
                                        " (--task-count; --overwrite begins anew)");
}

void require_own_folder(const EnhanceOptions& options, const RunRecord& record) {
  if (options.overwrite) return;
  std::optional<RunFile> before;
  try {
    before = read_run_file(options.output_folder);
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::Damaged) throw;
    log_warning(std::string(error.what()) +
                ": it is written anew; of shards that only it named, none are missed any more");
    return;
  }
  if (!before) return;
  const bool same_model = before->model_sha256 == record.model_sha256;
  if (same_model && before->config_sha256 == sha256_hex(record.pinned_config)) return;
  throw Error(ErrorCategory::Usage, options.output_folder.name() + ": was begun with another " +
                                        (same_model ? "configuration" : "model") +
                                        "; choose another folder (-o) or begin anew (--overwrite)");
}

ShardStats read_stats(const nlohmann::ordered_json& committed_stats) {
  return stats_from_json(committed_stats.dump());
}

}  // namespace aitqe
