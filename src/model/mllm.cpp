#include "aitqe/model/mllm.h"

#include <utility>

namespace aitqe {

std::unique_ptr<Mllm> Mllm::load(const std::filesystem::path& folder, ModelConfig config,
                                 const nn::Compute& compute, TensorTable::Listener listener) {
  TensorTable tensors(folder, TensorTable::Misfits::Throw, std::move(listener));
  return std::unique_ptr<Mllm>(new Mllm(std::move(config), tensors, compute));
}

std::unique_ptr<Mllm> Mllm::drawn(ModelConfig config, const nn::Compute& compute) {
  TensorTable tensors = TensorTable::drawn();
  return std::unique_ptr<Mllm>(new Mllm(std::move(config), tensors, compute));
}

std::vector<std::string> Mllm::misfits(const std::filesystem::path& folder, ModelConfig config) {
  TensorTable tensors(folder, TensorTable::Misfits::Note);
  nn::Compute compute;
  compute.packing = kernels::Packing::OnTheFly;
  compute.pool = std::make_shared<ThreadPool>(1);
  const Mllm model(std::move(config), tensors, compute);
  return tensors.misfits();
}

Mllm::Mllm(ModelConfig config, TensorTable& tensors, const nn::Compute& compute)
    : config_(std::move(config)), compute_(std::make_shared<const nn::Compute>(compute)) {
  const std::int64_t vision_dim = config_.vision.hidden_size;
  const std::int64_t text_dim = config_.text.hidden_size;
  const std::int64_t middle = config_.projector_hidden_size;
  vision_tower_ = make_vision_tower(config_, tensors, compute_);
  projector_ = std::make_unique<nn::GeluMlp>(
      nn::LinearWeights{tensors.take("mm_projector.0.weight", {middle, vision_dim}),
                        tensors.take("mm_projector.0.bias", {middle})},
      nn::Gelu::Erf,
      nn::LinearWeights{tensors.take("mm_projector.2.weight", {text_dim, middle}), std::nullopt},
      compute_);
  language_model_ = std::make_unique<Qwen2>(config_.text, tensors, compute_);
  tensors.ignore_prefix("image_newline");  // in every released checkpoint, used by none of its code
  tensors.require_all_used();
}

at::Tensor Mllm::encode_images(const at::Tensor& pixels) const {
  const at::Tensor features =
      (*vision_tower_)(nn::to_device(pixels, compute_->device));  // [B, P, vision_dim]
  const at::Tensor rows = features.reshape({-1, features.size(2)}).contiguous();
  return (*projector_)(rows).view({features.size(0), features.size(1), -1});
}

}  // namespace aitqe
