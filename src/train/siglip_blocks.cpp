#include "blocks.h"

namespace aitqe {

namespace {

const std::string kPrefix = "vision_model.vision_model.";

at::Tensor layer_norm(const Parameters& parameters, const at::Tensor& x, const std::string& name,
                      double eps) {
  return at::layer_norm(x, {x.size(-1)}, parameters.wide(name + ".weight"),
                        parameters.wide(name + ".bias"), eps);
}

/// [B * P, hidden] -> [B, heads, P, head_dim]
at::Tensor by_head(const at::Tensor& x, std::int64_t batch, std::int64_t heads) {
  return x.view({batch, -1, heads, x.size(1) / heads}).transpose(1, 2);
}

}  // namespace

at::Tensor siglip_features(const ModelConfig& config, const Parameters& parameters,
                           const at::Tensor& pixels) {
  const VisionConfig& vision = config.vision;
  const std::int64_t batch = pixels.size(0);
  const std::string embeddings = kPrefix + "embeddings.";
  at::Tensor x = at::conv2d(pixels, parameters.wide(embeddings + "patch_embedding.weight"),
                            parameters.wide(embeddings + "patch_embedding.bias"),
                            {vision.patch_size, vision.patch_size});
  x = x.flatten(2).transpose(1, 2);  // [B, P, hidden]
  x = x + parameters.wide(embeddings + "position_embedding.weight");
  const std::int64_t patches = x.size(1);
  x = x.reshape({batch * patches, vision.hidden_size});
  for (std::int64_t layer = 0; layer + 1 < vision.num_layers; ++layer) {
    const std::string name = kPrefix + "encoder.layers." + std::to_string(layer) + ".";
    at::Tensor y = layer_norm(parameters, x, name + "layer_norm1", vision.layer_norm_eps);
    const auto heads_of = [&](const char* part) {
      return by_head(parameters.linear(y, name + "self_attn." + part), batch, vision.num_heads);
    };
    const at::Tensor attended = at::scaled_dot_product_attention(
        heads_of("q_proj"), heads_of("k_proj"), heads_of("v_proj"));
    y = attended.transpose(1, 2).reshape({batch * patches, vision.hidden_size});
    x = x + parameters.linear(y, name + "self_attn.out_proj");
    y = layer_norm(parameters, x, name + "layer_norm2", vision.layer_norm_eps);
    y = at::gelu(parameters.linear(y, name + "mlp.fc1"),
                 vision.hidden_act == "gelu" ? "none" : "tanh");
    x = x + parameters.linear(y, name + "mlp.fc2");
  }
  x = x.view({batch, patches, vision.hidden_size});
  return config.drop_first_vision_token ? x.narrow(1, 1, patches - 1) : x;
}

}  // namespace aitqe
