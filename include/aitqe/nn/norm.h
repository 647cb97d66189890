#pragma once

#include "aitqe/nn/compute.h"
#include "aitqe/nn/weight.h"

namespace aitqe::nn {

/// x / sqrt(mean(x^2) + eps) * weight, in f32. Source: transformers' Qwen2RMSNorm.
class RmsNorm {
 public:
  RmsNorm(const Weight& weight, float eps, std::shared_ptr<const Compute> compute);
  /// @param x  [R, n]   @return  the same shape and dtype
  at::Tensor operator()(const at::Tensor& x) const;
  /// The residual before the norm with it: hidden += update, then the norm of hidden.
  /// @param hidden, update  [R, n], contiguous; an undefined update adds nothing
  /// @param dtype  of the result: hidden's own, or, with Backend::Kernels, bf16
  at::Tensor add_and_norm(at::Tensor& hidden, const at::Tensor& update, at::ScalarType dtype) const;

 private:
  std::shared_ptr<const Compute> compute_;
  float eps_;
  at::Tensor weight_;  // [n] f32
};

/// hidden += update, both [R, n] and contiguous.
void add_residual(at::Tensor& hidden, const at::Tensor& update, const Compute& compute);

/// (x - mean) / sqrt(variance + eps) * weight + bias, in f32. Source: torch.nn.LayerNorm.
class LayerNorm {
 public:
  LayerNorm(const Weight& weight, const Weight& bias, float eps,
            std::shared_ptr<const Compute> compute);
  /// @param x  [R, n]   @return  the same shape and dtype
  at::Tensor operator()(const at::Tensor& x) const;
  /// As RmsNorm's.
  at::Tensor add_and_norm(at::Tensor& hidden, const at::Tensor& update, at::ScalarType dtype) const;

 private:
  std::shared_ptr<const Compute> compute_;
  float eps_;
  at::Tensor weight_;  // [n] f32
  at::Tensor bias_;    // [n] f32
};

}  // namespace aitqe::nn
