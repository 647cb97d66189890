#include "aitqe/nn/norm.h"

#include "aitqe/kernels/rows.h"

namespace aitqe::nn {

namespace {

kernels::ResidualNorm residual_norm(at::Tensor& hidden, const at::Tensor& update,
                                    const at::Tensor& weight, const at::Tensor& bias, float eps,
                                    at::Tensor& y) {
  const auto floats = [](const at::Tensor& x) {
    return x.defined() ? x.const_data_ptr<float>() : nullptr;
  };
  return {hidden.size(0),
          hidden.size(1),
          hidden.mutable_data_ptr<float>(),
          floats(update),
          floats(weight),
          floats(bias),
          eps,
          y.mutable_data_ptr(),
          kernel_type(y.scalar_type())};
}

}  // namespace

RmsNorm::RmsNorm(const Weight& weight, float eps, std::shared_ptr<const Compute> compute)
    : compute_(std::move(compute)),
      eps_(eps),
      weight_(weight.to_tensor(compute_->device, at::kFloat)) {}

void add_residual(at::Tensor& hidden, const at::Tensor& update, const Compute& compute) {
  if (compute.backend == Backend::Kernels) {
    kernels::add_to(update.const_data_ptr<float>(), hidden.numel(),
                    hidden.mutable_data_ptr<float>(), *compute.pool);
  } else {
    hidden.add_(update);
  }
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
  if (compute_->backend == Backend::Kernels) {
    at::Tensor hidden = x;
    return add_and_norm(hidden, {}, x.scalar_type());
  }
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = (wide.square().mean(-1, /*keepdim=*/true) + eps_).rsqrt();
  // The reference rounds to the model's dtype before the weight is applied.
  return weight_.to(x.scalar_type()) * (wide * scale).to(x.scalar_type());
}

at::Tensor RmsNorm::add_and_norm(at::Tensor& hidden, const at::Tensor& update,
                                 at::ScalarType dtype) const {
  const bool has_one_pass =
      compute_->backend == Backend::Kernels ||
      (compute_->backend == Backend::Fused && hidden.size(1) <= kernels::kLongestNorm);
  if (!has_one_pass) {
    if (update.defined()) add_residual(hidden, update, *compute_);
    return (*this)(hidden);
  }
  at::Tensor y = at::empty_like(hidden, hidden.options().dtype(dtype));
  if (compute_->backend == Backend::Kernels) {
    kernels::add_rms_norm_rows(residual_norm(hidden, update, weight_, {}, eps_, y),
                               *compute_->pool);
    return y;
  }
  compute_->fused().add_rms_norm(
      {compute_->fused_type(), hidden.size(0), hidden.size(1), hidden.mutable_data_ptr(),
       update.defined() ? update.const_data_ptr() : nullptr, weight_.const_data_ptr<float>(), eps_,
       y.mutable_data_ptr()},
      compute_->queue());
  return y;
}

LayerNorm::LayerNorm(const Weight& weight, const Weight& bias, float eps,
                     std::shared_ptr<const Compute> compute)
    : compute_(std::move(compute)),
      eps_(eps),
      weight_(weight.to_tensor(compute_->device, at::kFloat)),
      bias_(bias.to_tensor(compute_->device, at::kFloat)) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  if (compute_->backend == Backend::Fused) {
    // In one pass, which rounds the weights to the dtype: they have no more bits in a checkpoint of
    // it.
    return at::layer_norm(x, weight_.sizes(), weight_.to(x.scalar_type()),
                          bias_.to(x.scalar_type()), eps_);
  }
  if (compute_->backend == Backend::Aten) {
    return at::layer_norm(x.to(at::kFloat), weight_.sizes(), weight_, bias_, eps_)
        .to(x.scalar_type());
  }
  at::Tensor hidden = x;
  return add_and_norm(hidden, {}, x.scalar_type());
}

at::Tensor LayerNorm::add_and_norm(at::Tensor& hidden, const at::Tensor& update,
                                   at::ScalarType dtype) const {
  if (compute_->backend != Backend::Kernels) {
    if (update.defined()) add_residual(hidden, update, *compute_);
    return (*this)(hidden);
  }
  at::Tensor y = at::empty_like(hidden, hidden.options().dtype(dtype));
  kernels::add_layer_norm_rows(residual_norm(hidden, update, weight_, bias_, eps_, y),
                               *compute_->pool);
  return y;
}

}  // namespace aitqe::nn
