#include "aitqe/nn/linear.h"

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

}  // namespace

Linear::Linear(const std::vector<LinearWeights>& stacked, std::shared_ptr<const Compute> compute)
    : compute_(std::move(compute)) {
  for (const LinearWeights& part : stacked) num_outputs_ += part.weight.shape[0];
  if (compute_->backend == Backend::Aten) {
    std::vector<at::Tensor> weights;
    for (const LinearWeights& part : stacked) {
      weights.push_back(part.weight.to_tensor(compute_->device, compute_->dtype));
    }
    weight_ = weights.size() == 1 ? weights.front() : at::cat(weights);
    bias_ = stack_biases(stacked, *compute_);
    return;
  }
  const auto products =
      compute_->dtype == at::kBFloat16 ? kernels::Compute::BF16 : kernels::Compute::F32;
  for (const LinearWeights& part : stacked) {
    const Weight& w = part.weight;
    const kernels::WeightView view{w.data, w.type, w.shape[0], w.num_values() / w.shape[0]};
    parts_.push_back(
        {kernels::GemmWeight(view, products, compute_->packing, w.keep_alive, *compute_->pool),
         part.bias ? part.bias->to_floats() : std::vector<float>()});
  }
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  if (compute_->backend == Backend::Aten) return at::linear(x, weight_, bias_);
  at::Tensor y = at::empty({x.size(0), num_outputs_}, compute_->activation_options());
  float* to = y.mutable_data_ptr<float>();
  for (const Part& part : parts_) {
    part.weight.multiply(x.const_data_ptr<float>(), x.size(0),
                         part.bias.empty() ? nullptr : part.bias.data(), to, num_outputs_,
                         *compute_->pool);
    to += part.weight.num_outputs();
  }
  return y;
}

}  // namespace aitqe::nn
