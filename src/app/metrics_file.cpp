#include "metrics_file.h"

#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/sink.h"

namespace aitqe::app {

MetricsFile::MetricsFile(MetricsFileOptions options, const Progress& progress)
    : options_(std::move(options)), progress_(progress) {
  remove_stale_temporaries(options_.path);
  write({});
  thread_ = std::jthread([this] { keep_writing(); });
}

MetricsFile::~MetricsFile() {
  {
    const std::lock_guard lock(mutex_);
    has_ended_ = true;
  }
  ended_.notify_all();
}

void MetricsFile::finish(int exit_code) {
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  ended_.notify_all();
  write_or_warn(exit_code);
}

void MetricsFile::keep_writing() {
  const std::chrono::duration<double> interval(options_.interval_s);
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, interval, [this] { return has_ended_; })) write_or_warn({});
}

void MetricsFile::write(std::optional<int> exit_code) {
  const MetricsTimes times{start_, std::chrono::system_clock::now(), exit_code};
  write_atomically(options_.path, metrics_text(progress_, options_.labels, times));
}

void MetricsFile::write_or_warn(std::optional<int> exit_code) {
  try {
    write(exit_code);
    has_warned_ = false;
  } catch (const Error& error) {
    if (!has_warned_) log_warning(std::string(error.what()) + " (--metrics-file)");
    has_warned_ = true;
  }
}

}  // namespace aitqe::app
