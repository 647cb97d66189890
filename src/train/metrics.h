#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace aitqe {

/// What one training step came to.
struct StepMetrics {
  std::string stage;
  std::int64_t step = 0;  ///< of the stage, from 1
  double loss = 0;        ///< mean over the tokens that count, or the alignment's
  double ranking = 0;     ///< the ranking part, unweighted; 0 where there is none
  double total = 0;       ///< what is made small: loss and the weighted ranking
  double rate = 0;        ///< of the schedule, 0 to 1
  double gradient_norm = 0;
  /// `total` over pictures that are not learnt from, after this step; where it was computed.
  std::optional<double> validation;
};

/// OUT/metrics.jsonl: one row a step, and no times, so that the same training gives the same file.
class MetricsFile {
 public:
  /// Keeps the first `rows_to_keep` rows of an earlier run. @throws Error(Output).
  MetricsFile(const std::filesystem::path& path, std::int64_t rows_to_keep);

  /// @throws Error(Output).
  void add(const StepMetrics& metrics);
  const std::vector<StepMetrics>& rows() const { return rows_; }

 private:
  std::filesystem::path path_;
  std::vector<StepMetrics> rows_;
  std::ofstream file_;
};

/// The losses as an SVG picture: one curve per stage, smoothed, with axes; dots for validation.
std::string loss_plot(const std::vector<StepMetrics>& rows);

}  // namespace aitqe
