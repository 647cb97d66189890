#include <cmath>

#include "blocks.h"
#include "fused.h"

namespace aitqe {

namespace {

/// cos and sin of the angles by which positions turn heads, [R, head_dim / 2] each.
struct Rotation {
  at::Tensor cos;
  at::Tensor sin;

  Rotation(const TextConfig& config, const at::Tensor& positions) {
    const at::Tensor exponent =
        at::arange(0, config.head_dim, 2, positions.options().dtype(at::kFloat)) /
        static_cast<double>(config.head_dim);
    const at::Tensor frequency = at::pow(config.rope_theta, exponent).reciprocal();
    const at::Tensor angle = positions.to(at::kFloat).unsqueeze(1) * frequency;
    cos = angle.cos();
    sin = angle.sin();
  }
};

/// Attention within one tree. @param q [L, heads, D], scaled  @param k, v [L, kv_heads, D]
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const at::Tensor& mask) {
  const std::int64_t rows = q.size(0);
  const std::int64_t kv_heads = k.size(1);
  const std::int64_t group = q.size(1) / kv_heads;
  const std::int64_t dim = q.size(2);
  const at::Tensor queries = q.transpose(0, 1).reshape({kv_heads, group * rows, dim});
  const at::Tensor scores = at::bmm(queries, k.permute({1, 2, 0}));  // [kv_heads, group * L, L]
  const at::Tensor shares = (scores.view({kv_heads, group, rows, rows}) + mask).softmax(-1);
  const at::Tensor mixed = at::bmm(shares.view({kv_heads, group * rows, rows}), v.transpose(0, 1));
  return mixed.view({kv_heads * group, rows, dim}).transpose(0, 1).reshape({rows, -1});
}

}  // namespace

at::Tensor qwen2_hidden(const TextConfig& config, const Parameters& parameters, at::Tensor hidden,
                        const TokenTrees& trees) {
  const Rotation rotation(config, trees.positions);
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.head_dim));
  const std::string prefix = "model.model.";
  const auto normalised = [&](const std::string& name, at::ScalarType dtype) {
    return rms_norm(hidden, parameters.wide(name + ".weight"), config.rms_norm_eps, dtype);
  };
  // Cut in one go: the gradient of a piece alone is as large as the whole.
  std::vector<std::int64_t> rows_of_tree;
  for (const TreeRows& tree : trees.trees) rows_of_tree.push_back(tree.num_rows);
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    const std::string name = prefix + "layers." + std::to_string(layer) + ".";
    at::Tensor x = normalised(name + "input_layernorm", parameters.dtype());
    const auto heads_of = [&](const char* part, std::int64_t heads) {
      return parameters.linear(x, name + "self_attn." + part).view({-1, heads, config.head_dim});
    };
    const at::Tensor q =
        rotate_halves(heads_of("q_proj", config.num_heads), rotation.cos, rotation.sin, scale);
    const at::Tensor k =
        rotate_halves(heads_of("k_proj", config.num_kv_heads), rotation.cos, rotation.sin, 1);
    const at::Tensor v = heads_of("v_proj", config.num_kv_heads).to(at::kFloat);
    const std::vector<at::Tensor> queries = q.split_with_sizes(rows_of_tree);
    const std::vector<at::Tensor> keys = k.split_with_sizes(rows_of_tree);
    const std::vector<at::Tensor> values = v.split_with_sizes(rows_of_tree);
    std::vector<at::Tensor> attended;
    for (std::size_t i = 0; i < trees.trees.size(); ++i) {
      attended.push_back(attend(queries[i], keys[i], values[i], trees.trees[i].mask));
    }
    hidden = hidden + parameters.linear(at::cat(attended), name + "self_attn.o_proj");
    x = normalised(name + "post_attention_layernorm", parameters.dtype());
    const at::Tensor gated = at::silu(parameters.linear(x, name + "mlp.gate_proj")) *
                             parameters.linear(x, name + "mlp.up_proj");
    hidden = hidden + parameters.linear(gated, name + "mlp.down_proj");
  }
  return normalised(prefix + "norm", at::kFloat);
}

}  // namespace aitqe
