#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "aitqe/pipeline/progress.h"
#include "metrics_file.h"
#include "stall_watch.h"

namespace aitqe::app {

/// How a run that nobody looks at is watched.
struct WatchOptions {
  std::string metrics_file;  ///< "" for none
  double metrics_interval_s = 15;
  double stall_timeout_s = 1800;  ///< 0: it may stand still for ever
};

void add_watch_options(CLI::App& app, WatchOptions& options);
/// @throws Error(Output) where the metrics file cannot be written.
void check_watch_options(const WatchOptions& options);

/// Keeps the metrics of a run, and ends one that stands still.
class RunWatch {
 public:
  /// @param progress  outlives this
  RunWatch(const WatchOptions& options, const MetricsLabels& labels, Progress& progress);

  /// While this lives a run that stands still is stopped, and if that takes too long the process
  /// ended with 75: a call that never comes back cannot be unwound. What was answered is in the
  /// journals. Null where nobody asked for it.
  std::unique_ptr<StallWatch> watch_for_stalls();

  /// How the process ends, for the metrics. @return exit_code
  int finish(int exit_code);

 private:
  const WatchOptions options_;
  Progress& progress_;
  std::optional<MetricsFile> metrics_;
};

}  // namespace aitqe::app
