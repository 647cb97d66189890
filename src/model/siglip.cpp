#include <cmath>

#include "aitqe/base/error.h"
#include "aitqe/model/vision_tower.h"
#include "aitqe/nn/attention.h"
#include "aitqe/nn/linear.h"
#include "aitqe/nn/mlp.h"
#include "aitqe/nn/norm.h"

namespace aitqe {

namespace {

std::int64_t head_dim_of(const VisionConfig& config) {
  return config.hidden_size / config.num_heads;
}

const std::string kSiglipPrefix = "vision_model.vision_model.";

nn::LinearWeights take_linear(TensorTable& tensors, const std::string& name, std::int64_t outputs,
                              std::int64_t inputs) {
  return {tensors.take(name + ".weight", {outputs, inputs}),
          tensors.take(name + ".bias", {outputs})};
}

nn::LayerNorm take_norm(TensorTable& tensors, const std::string& name, const VisionConfig& config,
                        const std::shared_ptr<const nn::Compute>& compute) {
  return {tensors.take(name + ".weight", {config.hidden_size}),
          tensors.take(name + ".bias", {config.hidden_size}),
          static_cast<float>(config.layer_norm_eps), compute};
}

/// One pre-norm transformer block.
class SiglipLayer {
 public:
  SiglipLayer(const VisionConfig& config, TensorTable& tensors, const std::string& name,
              const std::shared_ptr<const nn::Compute>& compute)
      : norm1_(take_norm(tensors, name + "layer_norm1", config, compute)),
        qkv_({take_linear(tensors, name + "self_attn.q_proj", config.hidden_size,
                          config.hidden_size),
              take_linear(tensors, name + "self_attn.k_proj", config.hidden_size,
                          config.hidden_size),
              take_linear(tensors, name + "self_attn.v_proj", config.hidden_size,
                          config.hidden_size)},
             compute),
        attention_({static_cast<int>(config.num_heads), static_cast<int>(config.num_heads),
                    static_cast<int>(head_dim_of(config)),
                    1.0F / std::sqrt(static_cast<float>(head_dim_of(config))),
                    /*causal=*/false},
                   compute),
        out_({take_linear(tensors, name + "self_attn.out_proj", config.hidden_size,
                          config.hidden_size)},
             compute),
        norm2_(take_norm(tensors, name + "layer_norm2", config, compute)),
        mlp_(take_linear(tensors, name + "mlp.fc1", config.intermediate_size, config.hidden_size),
             config.hidden_act == "gelu" ? nn::Gelu::Erf : nn::Gelu::Tanh,
             take_linear(tensors, name + "mlp.fc2", config.hidden_size, config.intermediate_size),
             compute) {}

  /// @param hidden  [R, hidden], changed in place: the rows of each image, one after the other
  /// @param update  what the layer before adds to it; undefined in the first
  /// @return        what is to be added to `hidden` after this layer
  at::Tensor operator()(at::Tensor& hidden, const at::Tensor& update,
                        std::int64_t num_images) const {
    const at::Tensor rows = norm1_.add_and_norm(hidden, update, qkv_.input_dtype());
    const at::Tensor qkv = qkv_.in_dtype(rows, attention_.dense_dtype());  // [R, 3 * hidden]
    const at::Tensor attended = attention_.attend_dense(qkv, num_images, out_.input_dtype());
    return mlp_(norm2_.add_and_norm(hidden, out_(attended), mlp_.input_dtype()));
  }

 private:
  nn::LayerNorm norm1_;
  nn::Linear qkv_;
  nn::Attention attention_;
  nn::Linear out_;
  nn::LayerNorm norm2_;
  nn::GeluMlp mlp_;
};

nn::LinearWeights take_patch_embedding(const VisionConfig& config, TensorTable& tensors) {
  nn::LinearWeights patch{
      tensors.take(kSiglipPrefix + "embeddings.patch_embedding.weight",
                   {config.hidden_size, 3, config.patch_size, config.patch_size}),
      tensors.take(kSiglipPrefix + "embeddings.patch_embedding.bias", {config.hidden_size})};
  patch.weight.shape = {config.hidden_size, 3 * config.patch_size * config.patch_size};
  return patch;
}

class SiglipTower : public VisionTower {
 public:
  SiglipTower(const ModelConfig& config, TensorTable& tensors,
              std::shared_ptr<const nn::Compute> compute)
      : config_(config.vision),
        drop_first_token_(config.drop_first_vision_token),
        compute_(std::move(compute)),
        patch_embedding_({take_patch_embedding(config_, tensors)}, compute_) {
    const std::int64_t grid = config_.grid_side();
    positions_ = tensors
                     .take(kSiglipPrefix + "embeddings.position_embedding.weight",
                           {grid * grid, config_.hidden_size})
                     .to_tensor(compute_->device, compute_->activation_dtype());
    // hidden_states[-2]: the last layer's own result is not used.
    for (std::int64_t layer = 0; layer + 1 < config_.num_layers; ++layer) {
      layers_.emplace_back(config_, tensors,
                           kSiglipPrefix + "encoder.layers." + std::to_string(layer) + ".",
                           compute_);
    }
    tensors.ignore_prefix(kSiglipPrefix + "encoder.layers." +
                          std::to_string(config_.num_layers - 1) + ".");
    tensors.ignore_prefix(kSiglipPrefix + "post_layernorm.");
    tensors.ignore_prefix(kSiglipPrefix + "head.");
    tensors.ignore_prefix(kSiglipPrefix + "embeddings.position_ids");
  }

  at::Tensor operator()(const at::Tensor& pixels) const override {
    const std::int64_t num_images = pixels.size(0);
    const std::int64_t patch = config_.patch_size;
    const std::int64_t grid = config_.grid_side();
    const std::int64_t num_patches = grid * grid;
    // The convolution has stride = kernel: cut into patches, then one product. What is left over at
    // the right and bottom edge is not looked at.
    const at::Tensor patches = pixels.narrow(2, 0, grid * patch)
                                   .narrow(3, 0, grid * patch)
                                   .reshape({num_images, 3, grid, patch, grid, patch})
                                   .permute({0, 2, 4, 1, 3, 5})
                                   .reshape({num_images * num_patches, 3 * patch * patch})
                                   .to(compute_->activation_dtype())
                                   .contiguous();
    at::Tensor hidden = patch_embedding_(patches);  // [B * P, hidden]
    hidden.view({num_images, num_patches, config_.hidden_size}).add_(positions_);

    at::Tensor update;  // what the layer before adds to `hidden`
    for (const SiglipLayer& layer : layers_) update = layer(hidden, update, num_images);
    if (update.defined()) nn::add_residual(hidden, update, *compute_);
    const at::Tensor features = hidden.view({num_images, num_patches, config_.hidden_size});
    return drop_first_token_ ? features.narrow(1, 1, num_patches - 1) : features;
  }

 private:
  VisionConfig config_;
  bool drop_first_token_;
  std::shared_ptr<const nn::Compute> compute_;
  nn::Linear patch_embedding_;
  at::Tensor positions_;  // [P, hidden]
  std::vector<SiglipLayer> layers_;
};

}  // namespace

std::unique_ptr<VisionTower> make_siglip_tower(const ModelConfig& config, TensorTable& tensors,
                                               std::shared_ptr<const nn::Compute> compute) {
  return std::make_unique<SiglipTower>(config, tensors, std::move(compute));
}

}  // namespace aitqe
