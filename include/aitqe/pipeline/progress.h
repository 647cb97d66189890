#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "aitqe/pipeline/activity.h"

namespace aitqe {

/// How often each of some things happened. Any threads.
class Counts {
 public:
  void add(const std::string& name) {
    const std::lock_guard lock(mutex_);
    ++counts_[name];
  }
  std::map<std::string, std::int64_t> all() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> counts_;  // guarded by mutex_
};

/// What a run has done so far: written by the pipeline, read by whoever shows it. Any threads.
struct Progress {
  std::atomic<std::int64_t> pairs = 0;  ///< handed on, in their order
  /// Pairs that have their answer: those behind one whose answer is long wait for it.
  std::atomic<std::int64_t> answered = 0;
  std::atomic<std::int64_t> rewritten = 0;
  std::atomic<std::int64_t> failed = 0;
  std::atomic<std::int64_t> suspects = 0;  ///< of injection
  Counts failures;                         ///< by failure_kind (report/summary.h)
  std::atomic<std::int64_t> shards_done = 0;
  std::atomic<std::int64_t> num_shards = 0;
  /// How far this run is, in bytes of tars, or in pairs where there is a limit, or in shards where
  /// sizes say nothing (streams, compressed tars), or in images that are tried (eval). Shards that
  /// were done before do not count.
  std::atomic<std::int64_t> work_done = 0;
  std::atomic<std::int64_t> work_total = 0;
  /// What its threads are at.
  Activity activity;
  /// Set from outside: finish no further shard, leave the one at hand unwritten.
  std::atomic<bool> stop_requested = false;
  /// Set before stop_requested by who found that the run stands still.
  std::atomic<bool> has_stalled = false;
  /// Nothing is to be done until a shard is named (ShardFeed).
  std::atomic<bool> is_idle = false;
};

}  // namespace aitqe
