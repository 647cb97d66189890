#include "stall_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aitqe/base/duration.h"
#include "aitqe/base/log.h"

namespace aitqe::app {

namespace {

using Clock = std::chrono::steady_clock;

const char* what_to_look_at(RunStage stage) {
  switch (stage) {
    case RunStage::Open:
    case RunStage::Read:
      return "the disk, command or server of the input sends nothing";
    case RunStage::Prepare:
      return "its image or caption takes too long";
    case RunStage::Model:
      return "the device does not come back";
    case RunStage::Write:
    case RunStage::Commit:
      return "the disk of the output takes nothing";
    case RunStage::Load:
      return "the disk of the weights sends nothing, or the device does not come up";
  }
  return "";
}

}  // namespace

std::string describe_stall(const Activity& activity, double quiet_s) {
  const std::string text = "nothing has moved for " + duration_text(quiet_s) + ": ";
  const auto stuck = activity.oldest();
  if (!stuck) return text + "no stage is at work";
  if (stuck->stage == RunStage::Load) {
    return text + "the model is not loaded: " + what_to_look_at(stuck->stage);
  }
  std::string where = "stuck in stage " + std::string(stage_name(stuck->stage)) + " of shard " +
                      (stuck->shard.empty() ? "(unknown)" : stuck->shard);
  if (stuck->stage == RunStage::Read && stuck->key.empty()) {
    where += ", before its first pair";
  } else if (!stuck->key.empty()) {
    where +=
        (stuck->stage == RunStage::Read ? ", behind pair \"" : ", at pair \"") + stuck->key + "\"";
  }
  return text + where + ": " + what_to_look_at(stuck->stage);
}

StallWatch::StallWatch(Progress& progress, StallOptions options, std::function<void()> give_up)
    : progress_(progress),
      options_(options),
      give_up_(std::move(give_up)),
      thread_([this] { watch(); }) {}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
}

void StallWatch::watch() {
  constexpr double kLongestTick_s = 1.0;
  constexpr double kTicks = 20;  // of a timeout or grace, at least
  const double tick_s =
      std::min({kLongestTick_s, options_.timeout_s / kTicks, options_.grace_s / kTicks});
  std::int64_t last_ended = progress_.activity.num_ended();
  double quiet_s = 0;
  Clock::time_point last = Clock::now();
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, std::chrono::duration<double>(tick_s),
                          [this] { return has_ended_; })) {
    const Clock::time_point now = Clock::now();
    // A process that was stopped or starved has not waited in vain.
    quiet_s += std::min(std::chrono::duration<double>(now - last).count(), 2 * tick_s);
    last = now;
    const std::int64_t ended = progress_.activity.num_ended();
    if (std::exchange(last_ended, ended) != ended || progress_.is_idle) quiet_s = 0;
    if (!progress_.has_stalled && quiet_s >= options_.timeout_s) {
      log_error(describe_stall(progress_.activity, quiet_s) + " (--stall-timeout)");
      progress_.has_stalled = true;
      progress_.stop_requested = true;
      quiet_s = 0;
    } else if (progress_.has_stalled && quiet_s >= options_.grace_s) {
      log_error(describe_stall(progress_.activity, quiet_s) + "; ending at once");
      give_up_();
      return;
    }
  }
}

}  // namespace aitqe::app
