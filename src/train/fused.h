#pragma once

#include <ATen/ATen.h>

namespace aitqe {

// Steps of a layer that a tensor at a time would be bound by memory: on the CPU each in one pass
// forwards and one backwards, elsewhere in few of ATen's operations. With gradients; their results
// are those of the formulas beside them to rounding (network_test.cpp compares the gradients with
// PyTorch's).

/// x / sqrt(mean(x^2) + eps) * weight over the last axis, given in `dtype`.
/// @param x  [R, C] f32   @param weight  [C] f32   @param dtype  f32 or bf16
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps,
                    at::ScalarType dtype);

/// scale * (x1 cos - x2 sin, x2 cos + x1 sin), x1 and x2 the halves of the last axis.
/// @param x  [R, heads, D] f32 or bf16   @param cos, sin  [R, D / 2] f32   @return f32
at::Tensor rotate_halves(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                         double scale);

}  // namespace aitqe
