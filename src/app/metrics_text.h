#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aitqe/pipeline/progress.h"

namespace aitqe::app {

/// What tells the metrics of one process from those of others.
struct MetricsLabels {
  std::string output;  ///< the output folder
  int task = 0;        ///< --task-index
};

/// When they were taken.
struct MetricsTimes {
  std::chrono::system_clock::time_point start;
  std::chrono::system_clock::time_point now;
  std::optional<int> exit_code;  ///< once the run has ended
};

/// What this process has done so far, in Prometheus' text format (version 0.0.4): docs/formats.md
/// lists the metrics. Counters begin at 0 with the process; pairs of earlier runs are not in them.
std::string metrics_text(const Progress& progress, const MetricsLabels& labels,
                         const MetricsTimes& times);

}  // namespace aitqe::app
