#include "aitqe/train/network.h"

#include "blocks.h"

namespace aitqe {

namespace {
const std::string kEmbeddings = "model.model.embed_tokens.weight";
const std::string kHead = "model.lm_head";
}  // namespace

at::Tensor Network::vision(const at::Tensor& pixels) const {
  const at::Tensor here = pixels.to(parameters_.device());
  return config_.vision.family == VisionFamily::EfficientnetLite
             ? efficientnet_features(config_.vision, parameters_, here)
             : siglip_features(config_, parameters_, here);
}

at::Tensor Network::project(const at::Tensor& places) const {
  const at::Tensor features =
      config_.vision.with_mean ? at::cat({places, places.mean(1, /*keepdim=*/true)}, 1) : places;
  const at::Tensor rows = features.reshape({-1, features.size(2)});
  const at::Tensor hidden = at::gelu(parameters_.linear(rows, "mm_projector.0"), "none");
  return parameters_.linear(hidden, "mm_projector.2")
      .to(at::kFloat)
      .view({features.size(0), features.size(1), -1});
}

at::Tensor Network::read(const TokenTrees& trees, const at::Tensor& images) const {
  at::Tensor embedded = parameters_.rows(kEmbeddings, trees.ids);  // [R, hidden]
  embedded = embedded.index_copy(0, trees.image_rows, images.reshape({-1, images.size(2)}));
  return qwen2_hidden(config_.text, parameters_, embedded, trees);
}

at::Tensor Network::logits(const at::Tensor& hidden) const {
  const bool tied = !parameters_.contains(kHead + ".weight");
  return parameters_.linear(hidden, tied ? "model.model.embed_tokens" : kHead).to(at::kFloat);
}

}  // namespace aitqe
