#include "aitqe/pipeline/activity.h"

#include <utility>

namespace aitqe {

std::string_view stage_name(RunStage stage) {
  static constexpr std::array<std::string_view, kNumStages> kNames = {
      "open", "read", "prepare", "model", "write", "commit", "load"};
  return kNames.at(static_cast<std::size_t>(stage));
}

Activity::Doing::Doing(Doing&& other) noexcept
    : activity_(std::exchange(other.activity_, nullptr)), operation_(other.operation_) {}

Activity::Doing& Activity::Doing::operator=(Doing&& other) noexcept {
  if (this == &other) return *this;
  end();
  activity_ = std::exchange(other.activity_, nullptr);
  operation_ = other.operation_;
  return *this;
}

void Activity::Doing::end() {
  if (activity_ != nullptr) std::exchange(activity_, nullptr)->end(operation_);
}

Activity::Doing Activity::begin(Activity* activity, RunStage stage, std::string shard,
                                std::string key) {
  Doing doing;
  if (activity == nullptr) return doing;
  const std::lock_guard lock(activity->mutex_);
  doing.activity_ = activity;
  doing.operation_ = activity->operations_.insert(
      activity->operations_.end(),
      {stage, std::move(shard), std::move(key), std::chrono::steady_clock::now()});
  return doing;
}

void Activity::end(std::list<Operation>::iterator operation) {
  const std::lock_guard lock(mutex_);
  seconds_.at(static_cast<std::size_t>(operation->stage)) +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - operation->begin).count();
  operations_.erase(operation);
  last_end_ = std::chrono::system_clock::now();
  ++num_ended_;
}

void Activity::note_part() {
  const std::lock_guard lock(mutex_);
  last_end_ = std::chrono::system_clock::now();
  ++num_ended_;
}

std::optional<Activity::Operation> Activity::oldest() const {
  const std::lock_guard lock(mutex_);
  if (operations_.empty()) return std::nullopt;
  return operations_.front();
}

std::chrono::system_clock::time_point Activity::last_end() const {
  const std::lock_guard lock(mutex_);
  return last_end_;
}

double Activity::seconds(RunStage stage) const {
  const std::lock_guard lock(mutex_);
  return seconds_.at(static_cast<std::size_t>(stage));
}

}  // namespace aitqe
