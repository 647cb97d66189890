#pragma once

#include <atomic>
#include <cstdint>

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
};

}  // namespace aitqe
