#pragma once

#include "aitqe/nn/linear.h"

namespace aitqe::nn {

enum class Gelu {
  Tanh,  ///< "gelu_pytorch_tanh"
  Erf,   ///< "gelu", exact
};

/// fc2(gelu(fc1(x))): SigLIP's MLP (tanh) and the projector (erf).
class GeluMlp {
 public:
  GeluMlp(const LinearWeights& fc1, Gelu gelu, const LinearWeights& fc2,
          std::shared_ptr<const Compute> compute);
  at::ScalarType input_dtype() const { return fc1_.input_dtype(); }
  /// @param x  [R, inputs of fc1]   @return  [R, outputs of fc2]
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::shared_ptr<const Compute> compute_;
  Linear fc1_;
  Gelu gelu_;
  Linear fc2_;
};

/// down(silu(gate(x)) * up(x)). Source: transformers' Qwen2MLP.
class SwigluMlp {
 public:
  SwigluMlp(const LinearWeights& gate, const LinearWeights& up, const LinearWeights& down,
            std::shared_ptr<const Compute> compute, Products products = Products::AsComputed);
  at::ScalarType input_dtype() const { return gate_up_.input_dtype(); }
  /// @param x  [R, hidden]   @return  [R, hidden]
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  std::shared_ptr<const Compute> compute_;
  Linear gate_up_;
  Linear down_;
};

}  // namespace aitqe::nn
