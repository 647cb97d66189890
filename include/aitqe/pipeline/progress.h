#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace aitqe {

/// What a run has done so far: written by the pipeline, read by whoever shows it. Any threads.
struct Progress {
  std::atomic<std::int64_t> pairs = 0;
  std::atomic<std::int64_t> rewritten = 0;
  std::atomic<std::int64_t> failed = 0;
  std::atomic<std::int64_t> shards_done = 0;
  std::atomic<std::int64_t> num_shards = 0;
  /// How far this run is, in bytes of tars, or in pairs where there is a limit, or in shards where
  /// sizes say nothing (streams, compressed tars). Shards that were done before do not count.
  std::atomic<std::int64_t> work_done = 0;
  std::atomic<std::int64_t> work_total = 0;
  /// Set from outside: finish no further shard, leave the one at hand unwritten.
  std::atomic<bool> stop_requested = false;
  /// Counts whatever shows that the run goes on.
  std::atomic<std::int64_t> heartbeats = 0;
  /// Nothing is to be done until a shard is named (ShardFeed).
  std::atomic<bool> is_idle = false;

  /// What the run waits for, to be told should it wait for ever.
  std::string waits_for() const {
    const std::lock_guard lock(mutex_);
    return waits_for_;
  }
  void wait_for(std::string what) {
    const std::lock_guard lock(mutex_);
    waits_for_ = std::move(what);
    ++heartbeats;
  }

 private:
  mutable std::mutex mutex_;
  std::string waits_for_;  // guarded by mutex_
};

}  // namespace aitqe
