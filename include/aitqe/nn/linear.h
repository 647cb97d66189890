#pragma once

#include <optional>
#include <vector>

#include "aitqe/nn/compute.h"
#include "aitqe/nn/weight.h"

namespace aitqe::nn {

/// One stored matrix [outputs, inputs], with or without bias [outputs].
struct LinearWeights {
  Weight weight;
  std::optional<Weight> bias;
};

/// y = x W^T + b, where W may be several stored matrices stacked along the outputs (q, k and v in
/// one pass). Immutable; one thread at a time per Compute.
class Linear {
 public:
  /// @param stacked  at least one; all with the same inputs. Shapes were checked by the caller.
  Linear(const std::vector<LinearWeights>& stacked, std::shared_ptr<const Compute> compute,
         Products products = Products::AsComputed);

  std::int64_t num_outputs() const { return num_outputs_; }

  /// @param x  [R, inputs], contiguous, in the activation dtype
  /// @return   [R, outputs], same dtype
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  struct Part {
    kernels::GemmWeight weight;
    std::vector<float> bias;  // empty: none
  };

  std::shared_ptr<const Compute> compute_;
  std::int64_t num_outputs_ = 0;
  std::vector<Part> parts_;  // Kernels
  kernels::Compute computed_in_ = kernels::Compute::F32;
  at::Tensor weight_;        // Aten: [outputs, inputs]
  at::Tensor weight_scale_;  // Fp8: [1, outputs] f32, else undefined
  at::Tensor bias_;          // Aten: [outputs] or undefined
};

}  // namespace aitqe::nn
