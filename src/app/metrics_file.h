#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "aitqe/pipeline/progress.h"
#include "metrics_text.h"

namespace aitqe::app {

struct MetricsFileOptions {
  std::filesystem::path path;
  MetricsLabels labels;
  double interval_s = 15;  ///< above 0
};

/// Keeps a file of metrics up to date while it lives, for node_exporter's textfile collector: each
/// time it is replaced as a whole. What cannot be written later on is a warning, not the end of a
/// run.
class MetricsFile {
 public:
  /// Writes it for the first time. @throws Error(Output) when that cannot be done.
  /// @param progress  outlives this
  MetricsFile(MetricsFileOptions options, const Progress& progress);
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  /// Writes it for the last time, with the exit status. Once; any thread.
  void finish(int exit_code);

 private:
  void keep_writing();
  void write(std::optional<int> exit_code);
  void write_or_warn(std::optional<int> exit_code);

  const MetricsFileOptions options_;
  const Progress& progress_;
  const std::chrono::system_clock::time_point start_ = std::chrono::system_clock::now();
  std::mutex mutex_;
  std::condition_variable ended_;
  // Guarded by mutex_:
  bool has_ended_ = false;
  bool has_warned_ = false;
  std::jthread thread_;  // last: uses the rest
};

}  // namespace aitqe::app
