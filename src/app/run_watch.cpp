#include "run_watch.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"

namespace aitqe::app {

void add_watch_options(CLI::App& app, WatchOptions& options) {
  app.add_option(
         "--stall-timeout", options.stall_timeout_s,
         "End with 75, to be run again, when nothing has moved for so long; 0: never. Above "
         "the longest step of the model")
      ->type_name("SECONDS")
      ->check(CLI::NonNegativeNumber)
      ->group("Run")
      ->capture_default_str();
  app.add_option(
         "--metrics-file", options.metrics_file,
         "Keep a file of metrics up to date, in Prometheus' text format for node_exporter's "
         "textfile collector")
      ->type_name("FILE")
      ->group("Run");
  app.add_option("--metrics-interval-s", options.metrics_interval_s,
                 "Time between two writes of it")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.01, 86400.0))
      ->group("Run")
      ->capture_default_str();
}

void check_watch_options(const WatchOptions& options) {
  if (options.metrics_file.empty()) return;
  require_writable_folder(std::filesystem::absolute(options.metrics_file).parent_path(),
                          "--metrics-file");
}

RunWatch::RunWatch(const WatchOptions& options, const MetricsLabels& labels, Progress& progress)
    : options_(options), progress_(progress) {
  if (options.metrics_file.empty()) return;
  metrics_.emplace(MetricsFileOptions{options.metrics_file, labels, options.metrics_interval_s},
                   progress);
}

std::unique_ptr<StallWatch> RunWatch::watch_for_stalls() {
  if (options_.stall_timeout_s <= 0) return nullptr;
  StallOptions stall;
  stall.timeout_s = options_.stall_timeout_s;
  stall.grace_s = std::min(stall.grace_s, stall.timeout_s);
  return std::make_unique<StallWatch>(
      progress_, stall, [this] { _exit(finish(exit_code(ErrorCategory::Resumable))); });
}

int RunWatch::finish(int exit_code) {
  if (metrics_) metrics_->finish(exit_code);
  return exit_code;
}

}  // namespace aitqe::app
