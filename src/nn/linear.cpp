#include "aitqe/nn/linear.h"

#include <cassert>

#include "aitqe/kernels/fp8.h"

namespace aitqe::nn {

namespace {

at::Tensor stack_biases(const std::vector<LinearWeights>& stacked, const Compute& compute) {
  bool any = false;
  std::vector<at::Tensor> biases;
  for (const LinearWeights& part : stacked) {
    any = any || part.bias.has_value();
    biases.push_back(part.bias ? part.bias->to_tensor(compute.device, compute.dtype)
                               : at::zeros({part.weight.shape[0]}, compute.activation_options()));
  }
  return any ? at::cat(biases) : at::Tensor();
}

struct Fp8Rows {
  at::Tensor values;  // [R, K] e4m3
  at::Tensor scales;  // [R, 1] f32: values * scales is about what they were made of
};

/// @param rows  [R, K] bf16, contiguous
Fp8Rows to_fp8(const at::Tensor& rows, const Compute& compute) {
  Fp8Rows made{at::empty(rows.sizes(), rows.options().dtype(at::kFloat8_e4m3fn)),
               at::empty({rows.size(0), 1}, rows.options().dtype(at::kFloat))};
  const auto kernel =
      compute.device.is_cuda() ? kernels::to_fp8_on_cuda() : kernels::to_fp8_on_cpu();
  kernel({rows.size(0), rows.size(1), rows.const_data_ptr(),
          static_cast<std::uint8_t*>(made.values.mutable_data_ptr()),
          made.scales.mutable_data_ptr<float>()},
         compute.queue());
  return made;
}

/// @param weight  [N, K] e4m3   @param weight_scale  [1, N]   @return  [R, N] bf16
at::Tensor multiply_fp8(const Fp8Rows& x, const at::Tensor& weight,
                        const at::Tensor& weight_scale) {
  if (x.values.is_cpu()) {  // libtorch has one scale a tensor there; this is for tests
    const at::Tensor sums = at::linear(x.values.to(at::kFloat), weight.to(at::kFloat));
    return (sums * x.scales * weight_scale).to(at::kBFloat16);
  }
  return at::_scaled_mm(x.values, weight.t(), x.scales, weight_scale, /*bias=*/std::nullopt,
                        /*scale_result=*/std::nullopt, at::kBFloat16, /*use_fast_accum=*/true);
}

kernels::Compute computed_in_kernels(const Compute& compute, Products products) {
  if (products == Products::Int8) return kernels::Compute::Int8;
  return compute.dtype == at::kBFloat16 ? kernels::Compute::BF16 : kernels::Compute::F32;
}

}  // namespace

Linear::Linear(const std::vector<LinearWeights>& stacked, std::shared_ptr<const Compute> compute,
               Products products)
    : compute_(std::move(compute)) {
  for (const LinearWeights& part : stacked) num_outputs_ += part.weight.shape[0];
  if (compute_->backend != Backend::Kernels) {
    std::vector<at::Tensor> weights;
    for (const LinearWeights& part : stacked) {
      weights.push_back(part.weight.to_tensor(compute_->device, compute_->dtype));
    }
    weight_ = weights.size() == 1 ? weights.front() : at::cat(weights);
    bias_ = stack_biases(stacked, *compute_);
    if (products == Products::Fp8) {
      const Fp8Rows rows = to_fp8(weight_, *compute_);
      weight_ = rows.values;
      weight_scale_ = rows.scales.t();
    }
    return;
  }
  computed_in_ = computed_in_kernels(*compute_, products);
  for (const LinearWeights& part : stacked) {
    const Weight& w = part.weight;
    const kernels::WeightView view{w.data, w.type, w.shape[0], w.num_values() / w.shape[0]};
    parts_.push_back(
        {kernels::GemmWeight(view, computed_in_, compute_->packing, w.keep_alive, *compute_->pool),
         part.bias ? part.bias->to_floats() : std::vector<float>()});
  }
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return in_dtype(x, compute_->activation_dtype());
}

at::Tensor Linear::in_dtype(const at::Tensor& x, at::ScalarType dtype) const {
  if (compute_->backend == Backend::Kernels) {
    return activated(x, kernels::Activation::None, dtype);
  }
  if (weight_scale_.defined()) {
    const Fp8Rows rows = to_fp8(x, *compute_);
    const at::Tensor y = multiply_fp8(rows, weight_, weight_scale_);
    return bias_.defined() ? y.add_(bias_) : y;
  }
  return at::linear(x, weight_, bias_);
}

at::ScalarType Linear::input_dtype() const {
  const bool takes_bf16 = !parts_.empty() && computed_in_ == kernels::Compute::BF16 &&
                          parts_.front().weight.num_inputs() % 2 == 0;
  return takes_bf16 ? at::kBFloat16 : compute_->activation_dtype();
}

kernels::GemmRows Linear::rows_of(const at::Tensor& x) const {
  if (x.scalar_type() == at::kBFloat16) {
    return kernels::GemmRows::of_bf16(static_cast<const std::uint16_t*>(x.const_data_ptr()),
                                      x.size(0), x.size(1));
  }
  return {x.const_data_ptr<float>(), x.size(0), x.size(1), computed_in_, *compute_->pool};
}

at::Tensor Linear::activated(const at::Tensor& x, kernels::Activation activation,
                             at::ScalarType dtype) const {
  at::Tensor y = at::empty({x.size(0), num_outputs_}, x.options().dtype(dtype));
  const kernels::GemmRows rows = rows_of(x);
  auto* to = static_cast<char*>(y.mutable_data_ptr());
  for (const Part& part : parts_) {
    part.weight.multiply(rows, part.bias.empty() ? nullptr : part.bias.data(), activation,
                         {to, kernel_type(dtype), num_outputs_}, *compute_->pool);
    to += part.weight.num_outputs() * y.element_size();
  }
  return y;
}

at::Tensor Linear::gated(const at::Tensor& x, at::ScalarType dtype) const {
  assert(parts_.size() == 2 && parts_[0].bias.empty() && parts_[1].bias.empty());
  const std::int64_t width = num_outputs_ / 2;
  at::Tensor y = at::empty({x.size(0), width}, x.options().dtype(dtype));
  kernels::GemmWeight::multiply_gated(rows_of(x), parts_[0].weight, parts_[1].weight,
                                      {y.mutable_data_ptr(), kernel_type(dtype), width},
                                      *compute_->pool);
  return y;
}

}  // namespace aitqe::nn
