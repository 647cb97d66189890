#include "aitqe/base/thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace aitqe {

struct ThreadPool::Shared {
  std::mutex mutex;
  std::condition_variable work_ready;
  std::condition_variable work_done;
  // Guarded by mutex:
  const std::function<void(std::size_t)>* body = nullptr;
  std::size_t count = 0;
  std::uint64_t loop_number = 0;
  int num_busy = 0;
  bool stopping = false;
  std::exception_ptr thrown;  // by a chunk of the loop at hand; the first of several
  // Claimed without the mutex while a loop runs:
  std::atomic<std::size_t> next_index = 0;

  std::vector<std::jthread> threads;

  void run_chunks(const std::function<void(std::size_t)>& loop_body, std::size_t loop_count) {
    try {
      for (std::size_t i = next_index.fetch_add(1); i < loop_count; i = next_index.fetch_add(1)) {
        loop_body(i);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
      next_index = loop_count;  // the rest is not begun
    }
  }

  void helper() {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      work_ready.wait(lock, [&] { return stopping || (loop_number != seen && body != nullptr); });
      if (stopping) return;
      seen = loop_number;
      const auto* loop_body = body;
      const std::size_t loop_count = count;
      ++num_busy;
      lock.unlock();
      run_chunks(*loop_body, loop_count);
      lock.lock();
      if (--num_busy == 0) work_done.notify_all();
    }
  }
};

ThreadPool::ThreadPool(int num_threads) : shared_(std::make_unique<Shared>()) {
  for (int i = 1; i < num_threads; ++i) {
    shared_->threads.emplace_back([shared = shared_.get()] { shared->helper(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
  }
  shared_->work_ready.notify_all();
}

int ThreadPool::num_threads() const { return static_cast<int>(shared_->threads.size()) + 1; }

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count <= 1 || shared_->threads.empty()) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->next_index = 0;
    shared_->body = &body;
    shared_->count = count;
    ++shared_->loop_number;
  }
  shared_->work_ready.notify_all();
  shared_->run_chunks(body, count);
  std::unique_lock lock(shared_->mutex);
  shared_->body = nullptr;  // a helper that wakes late finds nothing to do
  shared_->work_done.wait(lock, [&] { return shared_->num_busy == 0; });
  if (shared_->thrown) std::rethrow_exception(std::exchange(shared_->thrown, nullptr));
}

}  // namespace aitqe
