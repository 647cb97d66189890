#include "stall_watch.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"

namespace aitqe::app {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongestPollS = 1.0;
constexpr double kLongestGraceS = 60.0;

}  // namespace

StallWatch::StallWatch(Progress& progress, double timeout_s)
    : progress_(progress), timeout_s_(timeout_s) {
  if (timeout_s > 0) thread_ = std::jthread([this] { watch(); });
}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
}

void StallWatch::watch() {
  if (!wait_while_alive()) return;
  has_struck_ = true;
  log_error(
      formatted("nothing has happened for %g s (--stall-timeout-s), waiting for %s; stopping, the "
                "same command goes on from here",
                timeout_s_, progress_.waits_for().c_str()));
  progress_.stop_requested = true;
  std::unique_lock lock(mutex_);
  const std::chrono::duration<double> grace(std::min(timeout_s_, kLongestGraceS));
  if (ended_.wait_for(lock, grace, [this] { return has_ended_; })) return;
  log_error("the run does not even stop; ended as it stands");
  _exit(exit_code(ErrorCategory::Resumable));
}

bool StallWatch::wait_while_alive() {
  std::int64_t heartbeats = -1;
  auto since = Clock::now();
  const std::chrono::duration<double> poll(std::min(timeout_s_ / 4, kLongestPollS));
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, poll, [this] { return has_ended_; })) {
    const std::int64_t now = progress_.heartbeats;
    if (now != heartbeats || progress_.is_idle) since = Clock::now();
    heartbeats = now;
    if (Clock::now() - since > std::chrono::duration<double>(timeout_s_)) return true;
  }
  return false;
}

}  // namespace aitqe::app
