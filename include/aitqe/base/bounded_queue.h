#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace aitqe {

/// A first-in first-out hand-over between threads that holds at most `capacity` items.
/// Any number of producers and consumers. Outlives the threads that use it.
template <typename T>
class BoundedQueue {
 public:
  /// @param capacity  at least 1.
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  /// Waits for room. Returns false, dropping `item`, once the queue was closed.
  bool push(T item) {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [this] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    has_item_.notify_one();
    return true;
  }

  /// Waits for an item. Empty once the queue is closed and drained.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    has_item_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> item(std::move(items_.front()));
    items_.pop_front();
    has_room_.notify_one();
    return item;
  }

  /// No more pushes; consumers still get what is inside.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    has_item_.notify_all();
    has_room_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::deque<T> items_;  // guarded by mutex_, as is closed_
  bool closed_ = false;
  std::condition_variable has_item_;
  std::condition_variable has_room_;
};

}  // namespace aitqe
