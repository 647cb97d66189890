#include "task.h"

#include <charconv>
#include <cstdlib>
#include <optional>

#include "aitqe/base/error.h"

namespace aitqe::app {

namespace {

std::optional<int> parse_number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc() && end == text.data() + text.size() && value >= 0;
  return is_number ? std::optional(value) : std::nullopt;
}

std::optional<int> from_environment(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : parse_number(text);
}

/// Where the array is 0, 1, 2, ... without a gap: that of a whole job.
std::optional<int> size_of_whole_array() {
  const auto first = from_environment("SLURM_ARRAY_TASK_MIN");
  const auto last = from_environment("SLURM_ARRAY_TASK_MAX");
  const auto count = from_environment("SLURM_ARRAY_TASK_COUNT");
  const bool is_whole = first == 0 && last && count && *count == *last + 1;
  return is_whole ? count : std::nullopt;
}

struct Scheduled {
  int index = 0;
  std::optional<int> count;
};

Scheduled ask_scheduler() {
  if (const auto index = from_environment("SLURM_ARRAY_TASK_ID")) {
    return {*index, size_of_whole_array()};
  }
  if (const auto index = from_environment("JOB_COMPLETION_INDEX")) return {*index, std::nullopt};
  if (const auto index = from_environment("RANK")) {
    return {*index, from_environment("WORLD_SIZE")};
  }
  throw Error(
      ErrorCategory::Usage,
      "--task-index auto: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX and RANK is set; "
      "give a number and --task-count");
}

}  // namespace

TaskShare read_task(const std::string& index, int count, const OutputFolder& output_folder) {
  if (index.empty()) {
    if (count > 0) throw Error(ErrorCategory::Usage, "--task-count: needs --task-index too");
    return {};
  }
  Scheduled task;
  if (index == "auto") {
    task = ask_scheduler();
  } else if (const auto number = parse_number(index)) {
    task.index = *number;
  } else {
    throw Error(ErrorCategory::Usage, "--task-index " + index + ": expected a number or auto");
  }
  if (const int pinned = pinned_task_count(output_folder); pinned > 0) task.count = pinned;
  if (count > 0) task.count = count;
  if (!task.count) {
    throw Error(
        ErrorCategory::Usage,
        "--task-index " + index + ": how many tasks the job has is not known (--task-count)");
  }
  if (task.index >= *task.count) {
    throw Error(ErrorCategory::Usage, "--task-index " + std::to_string(task.index) + ": of " +
                                          std::to_string(*task.count) +
                                          " tasks, numbered from 0 (--task-count)");
  }
  return {task.index, *task.count};
}

}  // namespace aitqe::app
