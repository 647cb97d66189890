#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "aitqe/engine/guide.h"

namespace aitqe {

/// Logits that stay where the model is. What every step asks of every row, its largest logit and
/// whether it is sound, is worked out there and comes over in one small copy; the rest follows when
/// somebody asks. A step of 256 sequences of Qwen2 would else carry 156 MB.
class DeviceLogits : public RowsOnDevice {
 public:
  /// @param logits  [R, vocab], any float dtype
  explicit DeviceLogits(at::Tensor logits);

  std::int32_t largest(std::int64_t row) const override;
  bool is_usable(std::int64_t row) const override;
  std::vector<double> probabilities(std::int64_t row,
                                    std::span<const std::int32_t> ids) const override;
  TopLogits top(std::int64_t row, std::size_t count) const override;
  const float* fetch(std::int64_t row) const override;

 private:
  at::Tensor logits_;
  at::Tensor digest_;                        // [3, R] f64 on the CPU: largest, usable, log sum exp
  mutable std::vector<at::Tensor> fetched_;  // one a row: [vocab] f32 on the CPU, or undefined
};

}  // namespace aitqe
