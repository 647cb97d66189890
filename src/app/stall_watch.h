#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "aitqe/pipeline/progress.h"

namespace aitqe::app {

/// Stops a run in which nothing happens any more: asks it to stop, and ends the process where even
/// that does not happen (exit code 75; what is not committed is done by the next run).
class StallWatch {
 public:
  /// @param timeout_s  without a heartbeat, waits for a shard's name apart; 0 = wait for ever
  StallWatch(Progress& progress, double timeout_s);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

  /// True when it asked the run to stop.
  bool has_struck() const { return has_struck_; }

 private:
  void watch();
  /// False when the run has ended.
  bool wait_while_alive();

  Progress& progress_;
  double timeout_s_;
  std::atomic<bool> has_struck_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;  // guarded by mutex_
  std::jthread thread_;
};

}  // namespace aitqe::app
