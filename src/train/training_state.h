#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace aitqe {

/// The weights of a stage where its validation loss was lowest so far.
struct BestWeights {
  double loss = std::numeric_limits<double>::infinity();
  std::int64_t step = 0;                      ///< 0: none yet
  std::map<std::string, at::Tensor> masters;  ///< f32
};

/// Where a training run stands: enough to go on as if it had never stopped.
struct TrainingState {
  std::string recipe_sha256;
  std::int64_t stage = 0;
  std::int64_t step = 0;                        ///< steps of that stage that are done
  std::map<std::string, at::Tensor> masters;    ///< f32
  std::map<std::string, at::Tensor> optimizer;  ///< Adamw::state of that stage
  BestWeights best;

  /// Atomic. @throws Error(Output).
  void write(const std::filesystem::path& path) const;
  /// Nothing when there is no such file. @throws Error(Model) for a broken one.
  static std::optional<TrainingState> read(const std::filesystem::path& path);
};

}  // namespace aitqe
