#include "trial_run.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "aitqe/base/error.h"
#include "done_shard.h"
#include "task_share.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// A folder that is gone again afterwards.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(fs::temp_directory_path() / ("aitqe-dry-run-" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What is shown is this trial's alone.
void begin_anew(Progress& progress) {
  for (auto* count : {&progress.pairs, &progress.answered, &progress.rewritten, &progress.failed,
                      &progress.shards_done, &progress.work_done, &progress.work_total}) {
    *count = 0;
  }
}

}  // namespace

std::vector<ShardRef> shards_to_do(const EnhanceOptions& options) {
  const OutputFolder listed = options.output_folder.listed();
  std::vector<ShardRef> shards;
  for (const ShardRef* shard : shards_of_task(options, job_with(options))) {
    if (options.overwrite || !is_finished(listed, shard->name)) shards.push_back(*shard);
  }
  return shards;
}

EnhanceResult try_out(EnhanceOptions options, const LoadedModel& model, Progress& progress) {
  const ScratchFolder scratch;
  options.output_folder = scratch.path();
  options.task = {};
  options.overwrite = false;
  options.trace_file.reset();
  options.reading.sampling.limit = -1;
  begin_anew(progress);
  EnhanceResult result = enhance(options, model, progress);
  if (progress.stop_requested) {
    throw Error(ErrorCategory::Resumable, "stopped on request; a dry run begins anew");
  }
  return result;
}

}  // namespace aitqe
