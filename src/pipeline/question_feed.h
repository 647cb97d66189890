#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "aitqe/pipeline/judge.h"

namespace aitqe {

/// Between one stream of questions and several engines: gives every engine its share, and hands the
/// samples on in the stream's order as they are finished. Any threads.
///
/// Where answers depend on who shares a batch, an engine gets whole batches
/// (Question::begins_batch) and has finished one before it begins another. So a batch gives the
/// same bits whichever device runs it, and after a restart too.
class QuestionFeed {
 public:
  enum class Share { Singles, WholeBatches };

  QuestionFeed(const Judge::Next& next, const Judge::Done& done, std::size_t num_engines,
               Share share)
      : next_(next), done_(done), share_(share), queues_(num_engines) {}

  /// A sample that one engine has to see to.
  struct Task {
    std::int64_t place = 0;
    std::int64_t batch = 0;
    AssessedSample* sample = nullptr;  ///< valid, and the engine's alone, until `finish`
    AnswerOrder order;
  };

  /// For an engine that has finished all it was given. False: there is nothing left for it.
  bool begin_batch(std::size_t engine) {
    std::unique_lock lock(mutex_);
    if (share_ == Share::Singles) {
      // What is held up then waits for a sample of another engine: this one has none.
      room_.wait(lock, [this] { return has_room() || ended_; });
      return !ended_;
    }
    while (peek()) {
      if (ahead_->batch != current_batch_) {
        current_batch_ = ahead_->batch;
        owner_ = engine;
        return true;
      }
      queues_[owner_].push_back(take());  // the rest of a batch that another engine has begun
    }
    return false;
  }

  /// The next task of this engine's batch; nothing at its end.
  std::optional<Task> next(std::size_t engine) {
    const std::lock_guard lock(mutex_);
    if (share_ == Share::Singles) return pull();
    std::deque<Task>& queue = queues_[engine];
    if (!queue.empty()) {
      Task task = queue.front();
      queue.pop_front();
      return task;
    }
    if (owner_ != engine || !peek() || ahead_->batch != current_batch_) return std::nullopt;
    return take();
  }

  void finish(std::int64_t place) {
    const std::lock_guard lock(mutex_);
    finish_held(place);
  }

  /// Lets all engines come to their end. The first error is the one that `rethrow` throws.
  void fail(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
    ended_ = true;
    room_.notify_all();
    ahead_.reset();
    for (std::deque<Task>& queue : queues_) queue.clear();
  }

  /// Once no engine runs any more.
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  struct Held {
    AssessedSample sample;
    std::function<void(const AssessedSample&)> answered;
    bool is_finished = false;
  };

  /// Samples that are finished wait, with their images, for one before them that takes long.
  bool has_room() const { return share_ == Share::WholeBatches || held_.size() < kMostHeld; }

  /// The next question that a model has to answer; the others are finished as they are. Nothing
  /// where there is no room either: an engine then comes to the end of what it has.
  std::optional<Task> pull() {
    while (!ended_ && has_room()) {
      auto question = next_();
      if (!question) {
        ended_ = true;
        room_.notify_all();
        break;
      }
      if (question->begins_batch) ++batch_;
      const std::int64_t place = next_place_++;
      Held& held = held_[place];
      held.sample.prepared = std::move(question->prepared);
      held.answered = std::move(question->answered);
      const bool needs_no_answer = held.sample.prepared.failure.has_value() || question->known;
      if (question->known) held.sample.answer = std::move(*question->known);
      if (!needs_no_answer) return Task{place, batch_, &held.sample, question->order};
      finish_held(place);
    }
    return std::nullopt;
  }

  bool peek() {
    if (!ahead_) ahead_ = pull();
    return ahead_.has_value();
  }

  Task take() { return *std::exchange(ahead_, std::nullopt); }

  void finish_held(std::int64_t place) {
    Held& finished = held_.at(place);
    finished.is_finished = true;
    if (finished.answered) finished.answered(finished.sample);
    const std::size_t before = held_.size();
    while (!held_.empty() && held_.begin()->second.is_finished) {
      // Out of the map first: what `done` throws must not leave it there to be handed on again.
      AssessedSample sample = std::move(held_.begin()->second.sample);
      held_.erase(held_.begin());
      done_(std::move(sample));
    }
    if (held_.size() < before) room_.notify_all();
  }

  static constexpr std::size_t kMostHeld = 4096;
  const Judge::Next& next_;
  const Judge::Done& done_;
  const Share share_;
  std::mutex mutex_;
  std::condition_variable room_;
  // Guarded by mutex_:
  std::map<std::int64_t, Held> held_;  // by place: pulled and not yet handed on
  std::int64_t next_place_ = 0;
  bool ended_ = false;
  std::exception_ptr error_;
  // Whole batches only:
  std::int64_t batch_ = 0;           // of what was pulled last
  std::int64_t current_batch_ = -1;  // being pulled
  std::size_t owner_ = 0;            // engine that has it
  std::optional<Task> ahead_;        // pulled, and given to nobody yet
  std::vector<std::deque<Task>> queues_;
};

}  // namespace aitqe
