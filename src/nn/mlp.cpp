#include "aitqe/nn/mlp.h"

namespace aitqe::nn {

GeluMlp::GeluMlp(const LinearWeights& fc1, Gelu gelu, const LinearWeights& fc2,
                 std::shared_ptr<const Compute> compute)
    : compute_(std::move(compute)), fc1_({fc1}, compute_), gelu_(gelu), fc2_({fc2}, compute_) {}

at::Tensor GeluMlp::operator()(const at::Tensor& x) const {
  const bool is_tanh = gelu_ == Gelu::Tanh;
  if (compute_->backend != Backend::Kernels) {
    return fc2_(at::gelu(fc1_(x), is_tanh ? "tanh" : "none"));
  }
  const auto gelu = is_tanh ? kernels::Activation::GeluTanh : kernels::Activation::GeluErf;
  return fc2_(fc1_.activated(x, gelu, fc2_.input_dtype()));
}

SwigluMlp::SwigluMlp(const LinearWeights& gate, const LinearWeights& up, const LinearWeights& down,
                     std::shared_ptr<const Compute> compute, Products products)
    : compute_(std::move(compute)),
      gate_up_({gate, up}, compute_, products),
      down_({down}, compute_, products) {}

at::Tensor SwigluMlp::operator()(const at::Tensor& x) const {
  if (compute_->backend == Backend::Kernels) {
    return down_(gate_up_.gated(x, down_.input_dtype()));
  }
  const at::Tensor gate_up = gate_up_(x);  // [R, 2 * intermediate]
  const std::int64_t intermediate = gate_up.size(1) / 2;
  if (compute_->backend == Backend::Aten) {
    return down_(at::silu(gate_up.narrow(1, 0, intermediate)) *
                 gate_up.narrow(1, intermediate, intermediate));
  }
  at::Tensor product = at::empty({x.size(0), intermediate}, x.options());
  compute_->fused().silu_mul({compute_->fused_type(), x.size(0), intermediate,
                              gate_up.const_data_ptr(), product.mutable_data_ptr()},
                             compute_->queue());
  return down_(product);
}

}  // namespace aitqe::nn
