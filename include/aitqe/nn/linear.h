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
  /// In what `x` is best made: the activation dtype, or, with Backend::Kernels and products in
  /// bf16, that, since rows are rounded to it in any case.
  at::ScalarType input_dtype() const;

  /// @param x  [R, inputs], contiguous, in the activation dtype or `input_dtype()`
  /// @return   [R, outputs] in the activation dtype
  at::Tensor operator()(const at::Tensor& x) const;
  /// The same in another dtype; Backend::Kernels has f32 and bf16, others only their own.
  at::Tensor in_dtype(const at::Tensor& x, at::ScalarType dtype) const;
  /// Backend::Kernels: the activation of that, in one pass.
  /// @return  [R, outputs], f32 or bf16 as `dtype` says
  at::Tensor activated(const at::Tensor& x, kernels::Activation activation,
                       at::ScalarType dtype) const;
  /// Backend::Kernels, two matrices without bias, gate and up: silu(x gate^T) * (x up^T), in one
  /// pass. @return  [R, outputs / 2], f32 or bf16 as `dtype` says
  at::Tensor gated(const at::Tensor& x, at::ScalarType dtype) const;

 private:
  struct Part {
    kernels::GemmWeight weight;
    std::vector<float> bias;  // empty: none
  };
  kernels::GemmRows rows_of(const at::Tensor& x) const;

  std::shared_ptr<const Compute> compute_;
  std::int64_t num_outputs_ = 0;
  std::vector<Part> parts_;  // Kernels
  kernels::Compute computed_in_ = kernels::Compute::F32;
  at::Tensor weight_;        // Aten: [outputs, inputs]
  at::Tensor weight_scale_;  // Fp8: [1, outputs] f32, else undefined
  at::Tensor bias_;          // Aten: [outputs] or undefined
};

}  // namespace aitqe::nn
