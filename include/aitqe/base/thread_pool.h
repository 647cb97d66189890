#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace aitqe {

/// Fork-join threads for numeric loops. Chunks are handed out as threads become free, so a core
/// that is taken away for a while delays one chunk only; callers must not let results depend on
/// who runs which chunk.
class ThreadPool {
 public:
  /// @param num_threads  threads that work on a loop, the calling one included; at least 1.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const;

  /// Calls `body(i)` once for every i in [0, count) and returns when all are done. One loop at a
  /// time: not to be called from two threads at once, nor from inside `body`.
  /// @throws what `body` throws first, when no call is running any more; the rest is left out then
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

 private:
  struct Shared;
  std::unique_ptr<Shared> shared_;
};

}  // namespace aitqe
