#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "aitqe/pipeline/progress.h"

namespace aitqe::app {

struct StallOptions {
  /// Nothing has moved on for so long: the run stands still. Above 0.
  double timeout_s = 1800;
  /// From then on it may take so long to end in good order.
  double grace_s = 60;
};

/// What is stuck, where, and what to look at: "nothing has moved for 1m 00s: stuck in stage read of
/// shard 00003, behind pair "000041": the disk, command or server of the input sends nothing".
std::string describe_stall(const Activity& activity, double quiet_s);

/// Ends a run that stands still. When nothing of `progress.activity` has ended for a while it says
/// what is stuck and asks the run to stop; a run that cannot, because a call never comes back, is
/// given up. Time in which this process itself did not run does not count.
class StallWatch {
 public:
  /// @param progress  outlives this   @param give_up  called once, by another thread; does not
  ///                  return in the program
  StallWatch(Progress& progress, StallOptions options, std::function<void()> give_up);
  ~StallWatch();
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;

 private:
  void watch();

  Progress& progress_;
  const StallOptions options_;
  std::function<void()> give_up_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool has_ended_ = false;  // guarded by mutex_
  std::jthread thread_;     // last: uses the rest
};

}  // namespace aitqe::app
