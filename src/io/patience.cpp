#include "patience.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "http_transfer.h"

namespace aitqe {

void Patience::wait_after(const FailedTry& failed) {
  using Clock = std::chrono::steady_clock;
  ++num_failed_;
  const bool asks_too_much = failed.retry_after_s > options_.longest_retry_after_s;
  if (asks_too_much || num_failed_ >= options_.max_attempts) {
    const std::string message = name_ + ": " + failed.problem;
    if (failed.is_short_body) throw SourceError(message);
    throw Error(ErrorCategory::Resumable,
                message +
                    (asks_too_much ? "; asks to wait " + std::to_string(failed.retry_after_s) + " s"
                                   : "; gave up after " + std::to_string(num_failed_) + " tries") +
                    "; the same command goes on from here");
  }
  const std::int64_t wait = wait_ms(failed);
  log_warning(formatted("%s: %s; next try in %.1f s", name_.c_str(), failed.problem.c_str(),
                        static_cast<double>(wait) / 1000));
  constexpr std::chrono::milliseconds kLongestNap(100);  // how soon a request to stop is seen
  const Clock::time_point end = Clock::now() + std::chrono::milliseconds(wait);
  do {
    if (should_stop_ && should_stop_()) throw stopped();
    std::this_thread::sleep_for(std::min<Clock::duration>(kLongestNap, end - Clock::now()));
  } while (Clock::now() < end);
}

std::int64_t Patience::wait_ms(const FailedTry& failed) const {
  if (failed.retry_after_s > 0) return failed.retry_after_s * 1000;
  const int doublings = std::min(num_failed_ - 1, 20);
  const auto wait = std::min(std::int64_t{options_.first_wait_ms} << doublings,
                             std::int64_t{options_.longest_wait_ms});
  // Tasks that were turned away together do not come back together.
  std::random_device device;
  return std::uniform_int_distribution<std::int64_t>(wait / 2, wait)(device);
}

}  // namespace aitqe
