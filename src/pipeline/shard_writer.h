#pragma once

#include <exception>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "aitqe/base/bounded_queue.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/pipeline/activity.h"
#include "aitqe/pipeline/types.h"
#include "aitqe/report/summary.h"

namespace aitqe {

/// Concludes and writes the pairs of one shard on a thread of its own, so that the model does not
/// wait for hashing and disk. `add` by one thread.
class ShardWriter {
 public:
  using Begin = std::function<Activity::Doing(const AssessedSample&)>;
  using Conclude = std::function<EnhancedSample(AssessedSample)>;
  using Written = std::function<void(const EnhancedSample&)>;

  /// @param begin  called before each pair; what it gives lives until the pair is written
  ShardWriter(ShardOutput& output, Begin begin, Conclude conclude, Written written)
      : output_(output),
        begin_(std::move(begin)),
        conclude_(std::move(conclude)),
        written_(std::move(written)),
        thread_([this] { work(); }) {}

  ~ShardWriter() { queue_.close(); }
  ShardWriter(const ShardWriter&) = delete;
  ShardWriter& operator=(const ShardWriter&) = delete;

  /// @throws what writing threw, as soon as it is known.
  void add(AssessedSample sample) {
    if (!queue_.push(std::move(sample))) finish();
  }

  /// Waits until everything is written. @throws what writing threw.
  Summary finish() {
    queue_.close();
    if (thread_.joinable()) thread_.join();
    if (error_) std::rethrow_exception(error_);
    return summary_;
  }

 private:
  void work() {
    try {
      while (auto assessed = queue_.pop()) {
        const Activity::Doing doing = begin_(*assessed);
        const EnhancedSample enhanced = conclude_(std::move(*assessed));
        output_.add(enhanced.sample, member_json(enhanced.row), to_json_line(enhanced.row));
        summary_.add(enhanced.row);
        written_(enhanced);
      }
    } catch (...) {
      error_ = std::current_exception();
      queue_.close();  // `add` notices
    }
  }

  static constexpr std::size_t kMostWaiting = 64;
  ShardOutput& output_;
  Begin begin_;
  Conclude conclude_;
  Written written_;
  BoundedQueue<AssessedSample> queue_{kMostWaiting};
  Summary summary_;           // the thread's until it is joined
  std::exception_ptr error_;  // likewise
  std::jthread thread_;       // last: uses all of the above
};

}  // namespace aitqe
