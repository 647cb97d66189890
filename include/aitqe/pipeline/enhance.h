#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/pipeline/conclude.h"
#include "aitqe/pipeline/judge.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/prepare.h"
#include "aitqe/pipeline/progress.h"
#include "aitqe/pipeline/shard_feed.h"
#include "aitqe/pipeline/shard_stream.h"
#include "aitqe/pipeline/types.h"
#include "aitqe/report/summary.h"

namespace aitqe {

/// A part of a job that several processes share: every `count`th shard from `index`.
struct TaskShare {
  int index = 0;
  int count = 1;
};

struct EnhanceOptions {
  /// Of the whole job.
  std::vector<ShardRef> shards;
  TaskShare task;
  /// Where it is set, the shards to do are those that it gives: some of `shards`, or any where that
  /// is empty. Outlives the run. Not with a limit or a task.
  ShardFeed* feed = nullptr;
  OutputFolder output_folder;
  /// Off for `score`: report rows only.
  bool write_shards = true;
  /// Rows as Parquet too, beside the JSON lines. @see has_parquet
  bool write_parquet = false;
  /// Do shards again that are done already.
  bool overwrite = false;
  PrepareOptions prepare;
  JudgeOptions judge;
  RewriteRule rule;
  ReadingOptions reading;
  /// Only for `worst:P%`: the folder of a finished `score` run over the same input.
  std::optional<std::filesystem::path> scores_folder;
  std::optional<std::filesystem::path> trace_file;
  bool with_answers = false;  ///< -v
  /// Told of every pair once it is written, by one thread at a time; may be empty.
  std::function<void(const EnhancedSample&)> listener;
  /// As typed, for the record of the run; changes nothing.
  std::string command;
  double max_failed_percent = 1.0;
};

/// What all shards of the run together came to, those done by earlier runs included.
struct EnhanceResult {
  Summary summary;
  std::int64_t shards_done = 0;
  std::int64_t shards_done_before = 0;
  std::int64_t shards_unreadable = 0;
  std::int64_t shards_elsewhere = 0;   ///< left to another run that is at them
  bool is_idle_task = false;           ///< no shard was its to do: all is well
  std::int64_t pairs_passed_over = 0;  ///< not drawn by sampling, of shards done by this run
  std::int64_t pairs_resumed = 0;      ///< answered by a run that was interrupted
  bool stopped = false;                ///< on request, before the last shard
  EngineTimes times;
  double run_s = 0;  ///< without loading the model
};

/// The main job: every shard in, one enhanced shard and one report row per pair out.
/// A shard appears under its name only when it is complete; shards that are done are left alone,
/// and answers of an unfinished one are in its journal, so the same command goes on where it was
/// stopped, killed or cut off, to the very bytes of a run that was not.
/// A shard whose input could not be read to its end (damage `source_failed`) is done again.
/// @throws Error(Usage) when the folder holds shards of another configuration or model, or of a job
///         cut into another number of tasks, or of an input that is another one now;
///         Error(Output), Error(NoInput) as the modules below.
EnhanceResult enhance(const EnhanceOptions& options, const LoadedModel& model, Progress& progress);

/// The tasks that the job of this output folder was cut into; 0 where it has not begun.
int pinned_task_count(const OutputFolder& output_folder);

/// The options that decide the output's bytes, as JSON on one line; pinned in run.json.
std::string pinned_config(const EnhanceOptions& options, const LoadedModel& model);

/// Checks what can be checked before a model is loaded: output folder, free space, the score run.
void check_enhance_options(const EnhanceOptions& options);

/// The shards of a job and which of them are done, as JSON on one line (docs/formats.md, "Plan").
std::string plan_to_json(const EnhanceOptions& options);

/// The exit category of a finished run: nothing when all is well.
std::optional<ErrorCategory> outcome(const EnhanceResult& result, double max_failed_percent);

}  // namespace aitqe
