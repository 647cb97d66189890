#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "aitqe/pipeline/progress.h"
#include "aitqe/train/trainer.h"

namespace aitqe::app {

/// "shard 2/5  1,234 pairs  10.3 pairs/s  12.0 % rewritten  0 failed  3m 12s left"
std::string describe_progress(const Progress& progress, double elapsed_s);

/// "stage 2  step 1,234/5,000  loss 1.2345  3.40 steps/s  3m 12s left"
std::string describe_progress(const TrainProgress& progress, double elapsed_s);

/// Shows a run's progress on stderr while it lives: one line that is redrawn on a terminal, a plain
/// log line once a minute elsewhere and where the log is JSON, nothing when quiet.
class ProgressLine {
 public:
  /// @param describe  called from another thread with the seconds since the start
  ProgressLine(std::function<std::string(double elapsed_s)> describe, bool quiet);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void show();

  std::function<std::string(double)> describe_;
  bool on_terminal_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace aitqe::app
