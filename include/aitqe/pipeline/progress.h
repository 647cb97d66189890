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
  /// Bytes of members of finished pairs, against the size of all inputs (0: not known).
  std::atomic<std::int64_t> bytes_done = 0;
  std::atomic<std::int64_t> bytes_total = 0;
  /// Set from outside: finish no further shard, leave the one at hand unwritten.
  std::atomic<bool> stop_requested = false;
};

}  // namespace aitqe
