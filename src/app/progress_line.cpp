#include "progress_line.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "aitqe/base/duration.h"
#include "aitqe/base/log.h"

namespace aitqe::app {

namespace {

std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

bool stderr_is_terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && (term == nullptr || std::strcmp(term, "dumb") != 0);
}

}  // namespace

std::string describe_progress(const Progress& progress, double elapsed_s) {
  const std::int64_t pairs = progress.pairs;
  // A single long answer holds up what is handed on, not the work.
  const auto answered = static_cast<double>(std::max(pairs, progress.answered.load()));
  const double rate = elapsed_s > 0 ? answered / elapsed_s : 0;
  const double rewritten_percent =
      pairs > 0 ? 100.0 * static_cast<double>(progress.rewritten) / static_cast<double>(pairs) : 0;
  const std::int64_t num_shards = progress.num_shards;
  std::string line;
  if (num_shards > 0) {
    line = formatted("shard %ld/%ld  ", std::min(progress.shards_done + 1, num_shards), num_shards);
  }
  line +=
      formatted("%s pairs  %.1f pairs/s  %.1f %% rewritten  %s failed", with_commas(pairs).c_str(),
                rate, rewritten_percent, with_commas(progress.failed).c_str());
  const double handed_on = static_cast<double>(progress.work_done);
  const double done = pairs > 0 ? handed_on * answered / static_cast<double>(pairs) : handed_on;
  const double total = static_cast<double>(progress.work_total);
  if (total > 0 && done > 0)
    line += "  " + duration_text(std::max(0.0, total / done - 1) * elapsed_s) + " left";
  return line;
}

std::string describe_progress(const TrainProgress& progress, double elapsed_s) {
  const std::int64_t done = progress.steps_done;
  const auto own = static_cast<double>(done - progress.steps_done_before);
  const double rate = elapsed_s > 0 ? own / elapsed_s : 0;
  std::string line = formatted("stage %d  step %s/%s  loss %.4f  %.2f steps/s", progress.stage + 1,
                               with_commas(done).c_str(), with_commas(progress.num_steps).c_str(),
                               progress.loss.load(), rate);
  if (rate > 0)
    line += "  " + duration_text(static_cast<double>(progress.num_steps - done) / rate) + " left";
  return line;
}

ProgressLine::ProgressLine(std::function<std::string(double)> describe, bool quiet)
    : describe_(std::move(describe)),
      on_terminal_(stderr_is_terminal() && log_format() == LogFormat::Text) {
  if (!quiet) thread_ = std::jthread([this] { show(); });
}

ProgressLine::~ProgressLine() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
}

void ProgressLine::show() {
  const auto start = std::chrono::steady_clock::now();
  const auto interval =
      on_terminal_ ? std::chrono::milliseconds(500) : std::chrono::milliseconds(60'000);
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, interval, [this] { return has_ended_; })) {
    const double elapsed_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const std::string line = describe_(elapsed_s);
    if (on_terminal_) {
      std::fprintf(stderr, "\r%s\033[K", line.c_str());
    } else {
      log_info(line);
    }
  }
  if (on_terminal_) std::fprintf(stderr, "\r\033[K");
}

}  // namespace aitqe::app
