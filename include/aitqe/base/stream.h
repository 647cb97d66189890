#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace aitqe {

/// Pulls items from `source` one at a time, maps them on `num_workers` threads and gives the
/// results back in the order of the source. At most `capacity` items are between source and
/// consumer. An exception of source or map is thrown by the `next()` that would have given that
/// item.
template <typename In, typename Out>
class ParallelMap {
 public:
  using Source = std::function<std::optional<In>()>;
  using Map = std::function<Out(In)>;

  /// @param num_workers  at least 1.  @param capacity  at least 1.
  ParallelMap(Source source, Map map, int num_workers, std::size_t capacity)
      : source_(std::move(source)), map_(std::move(map)), capacity_(capacity) {
    for (int i = 0; i < num_workers; ++i) {
      workers_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }

  ~ParallelMap() {
    for (auto& worker : workers_) worker.request_stop();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
  }
  ParallelMap(const ParallelMap&) = delete;
  ParallelMap& operator=(const ParallelMap&) = delete;

  /// Waits for the next result; empty after the last. One consumer thread.
  std::optional<Out> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] {
      return done_.contains(next_out_) || (source_ended_ && next_out_ >= next_in_);
    });
    const auto found = done_.find(next_out_);
    if (found == done_.end()) return std::nullopt;
    Slot slot = std::move(found->second);
    done_.erase(found);
    ++next_out_;
    changed_.notify_all();
    if (slot.error) std::rethrow_exception(slot.error);
    return std::move(slot.value);
  }

 private:
  struct Slot {
    std::optional<Out> value;
    std::exception_ptr error;
  };

  /// Takes the next item of the source; only one worker is inside the source at a time.
  std::optional<std::pair<std::uint64_t, Slot>> pull(std::optional<In>& item) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] {
      return stopping_ || source_ended_ || (!pulling_ && next_in_ - next_out_ < capacity_);
    });
    if (stopping_ || source_ended_) return std::nullopt;
    pulling_ = true;
    lock.unlock();
    Slot slot;
    try {
      item = source_();
    } catch (...) {
      slot.error = std::current_exception();
    }
    lock.lock();
    pulling_ = false;
    if (!item || slot.error) source_ended_ = true;
    changed_.notify_all();
    if (!item && !slot.error) return std::nullopt;
    return std::pair(next_in_++, std::move(slot));
  }

  void work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      std::optional<In> item;
      auto claimed = pull(item);
      if (!claimed) return;
      auto& [number, slot] = *claimed;
      if (!slot.error) {
        try {
          slot.value = map_(std::move(*item));
        } catch (...) {
          slot.error = std::current_exception();
        }
      }
      const std::lock_guard lock(mutex_);
      done_.emplace(number, std::move(slot));
      changed_.notify_all();
    }
  }

  const Source source_;
  const Map map_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  std::map<std::uint64_t, Slot> done_;
  std::uint64_t next_in_ = 0;
  std::uint64_t next_out_ = 0;
  bool pulling_ = false;
  bool source_ended_ = false;
  bool stopping_ = false;

  std::vector<std::jthread> workers_;  // last: joined before the rest goes
};

}  // namespace aitqe
