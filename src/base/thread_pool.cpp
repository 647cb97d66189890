#include "aitqe/base/thread_pool.h"

#include <immintrin.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "aitqe/base/cores.h"

namespace aitqe {

namespace {

// A model asks for a loop every few microseconds, and a thread that sleeps takes tens of them to
// wake: threads look this often, some 50 microseconds, before they sleep. Not where they would look
// on the time of others.
constexpr int kLooksBeforeSleep = 1500;

// The parts of the word that threads wait on: flags, helpers at work, and which loop it is. The
// number may come round: a helper that takes a new loop for one it has seen leaves it to the
// others.
constexpr std::uint32_t kStopping = 1;
constexpr std::uint32_t kOpen = 2;  // the loop may be joined
constexpr std::uint32_t kOneHelper = 1U << 2;
constexpr std::uint32_t kOneLoop = 1U << 16;
constexpr std::uint32_t kHelpers = kOneLoop - kOneHelper;

std::uint32_t loop_number(std::uint32_t state) { return state / kOneLoop; }

}  // namespace

struct ThreadPool::Shared {
  alignas(64) std::atomic<std::uint32_t> state = 0;
  alignas(64) std::atomic<std::size_t> next_index = 0;
  // Written while no helper is at work, before the loop is opened:
  alignas(64) const std::function<void(std::size_t)>* body = nullptr;
  std::atomic<std::size_t> count = 0;

  int looks_before_sleep = 0;

  std::mutex thrown_mutex;
  std::exception_ptr thrown;  // by a chunk of the loop at hand; the first of several

  std::vector<std::jthread> threads;

  explicit Shared(int num_threads)
      : looks_before_sleep(num_threads <= usable_cores() ? kLooksBeforeSleep : 0) {}

  ~Shared() {
    state |= kStopping;
    state.notify_all();
  }

  template <typename IsAwaited>
  std::uint32_t await(const IsAwaited& is_awaited) {
    std::uint32_t now = state.load();
    for (int looks = 0; !is_awaited(now); now = state.load()) {
      if (++looks < looks_before_sleep) {
        _mm_pause();
      } else {
        state.wait(now);
        looks = 0;
      }
    }
    return now;
  }

  void run_chunks() {
    try {
      for (std::size_t i = next_index.fetch_add(1); i < count; i = next_index.fetch_add(1)) {
        (*body)(i);
      }
    } catch (...) {
      const std::lock_guard lock(thrown_mutex);
      if (!thrown) thrown = std::current_exception();
      next_index = count.load();  // the rest is not begun
    }
  }

  void helper() {
    std::uint32_t seen = 0;
    while (true) {
      std::uint32_t now = await([&](std::uint32_t at) {
        return (at & kStopping) != 0 || ((at & kOpen) != 0 && loop_number(at) != seen);
      });
      if ((now & kStopping) != 0) return;
      if (next_index >= count) {  // too late, and the caller need not wait for us
        seen = loop_number(now);
        continue;
      }
      if (!state.compare_exchange_strong(now, now + kOneHelper)) continue;
      seen = loop_number(now);
      run_chunks();
      now = state.fetch_sub(kOneHelper) - kOneHelper;
      if ((now & (kOpen | kHelpers)) == 0) state.notify_all();
    }
  }
};

ThreadPool::ThreadPool(int num_threads) : shared_(std::make_unique<Shared>(num_threads)) {
  for (int i = 1; i < num_threads; ++i) {
    shared_->threads.emplace_back([shared = shared_.get()] { shared->helper(); });
  }
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::num_threads() const { return static_cast<int>(shared_->threads.size()) + 1; }

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count <= 1 || shared_->threads.empty()) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  shared_->next_index = 0;
  shared_->body = &body;
  shared_->count = count;
  shared_->state += kOneLoop | kOpen;  // it was closed, and nobody is at work
  shared_->state.notify_all();
  shared_->run_chunks();
  shared_->state &= ~kOpen;  // a helper that wakes late finds nothing to do
  shared_->await([](std::uint32_t at) { return (at & kHelpers) == 0; });
  if (shared_->thrown) std::rethrow_exception(std::exchange(shared_->thrown, nullptr));
}

}  // namespace aitqe
