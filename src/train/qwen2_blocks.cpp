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

/// What one layer's attention reads: queries (scaled), keys and values of all rows.
struct LayerRows {
  at::Tensor q;  // [R, heads, D] f32
  at::Tensor k;  // [R, kv_heads, D] f32
  at::Tensor v;  // [R, kv_heads, D]
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

at::Tensor attend_each(const LayerRows& rows, const TokenTrees& trees) {
  // Cut in one go: the gradient of a piece alone is as large as the whole.
  std::vector<std::int64_t> rows_of_tree;
  for (const TreeRows& tree : trees.trees) rows_of_tree.push_back(tree.num_rows);
  const std::vector<at::Tensor> queries = rows.q.split_with_sizes(rows_of_tree);
  const std::vector<at::Tensor> keys = rows.k.split_with_sizes(rows_of_tree);
  const std::vector<at::Tensor> values = rows.v.to(at::kFloat).split_with_sizes(rows_of_tree);
  std::vector<at::Tensor> attended;
  for (std::size_t i = 0; i < trees.trees.size(); ++i) {
    attended.push_back(attend(queries[i], keys[i], values[i], trees.trees[i].mask));
  }
  return at::cat(attended);
}

/// All trees at once, in the dtype of the products.
at::Tensor attend_padded(const LayerRows& rows, const PaddedTrees& padded, at::ScalarType dtype) {
  const std::int64_t trees = padded.rows.size(0);
  const std::int64_t longest = padded.rows.size(1);
  const std::int64_t heads = rows.q.size(1);
  const at::Tensor row_numbers = padded.rows.flatten();
  const auto by_tree = [&](const at::Tensor& x) {  // [R, h, D] -> [B, heads, L, D]
    const std::int64_t own = x.size(1);
    return x.to(dtype)
        .index_select(0, row_numbers)
        .view({trees, longest, own, 1, x.size(2)})
        .expand({trees, longest, own, heads / own, x.size(2)})
        .reshape({trees, longest, heads, x.size(2)})
        .transpose(1, 2);
  };
  const at::Tensor mask = padded.mask.to(dtype).expand({trees, heads, longest, longest});
  const at::Tensor attended =
      at::scaled_dot_product_attention(by_tree(rows.q), by_tree(rows.k), by_tree(rows.v), mask,
                                       /*dropout_p=*/0.0, /*is_causal=*/false, /*scale=*/1.0);
  return attended.transpose(1, 2)
      .reshape({trees * longest, heads * rows.q.size(2)})
      .index_select(0, padded.places);
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
    const LayerRows rows = {q, k, heads_of("v_proj", config.num_kv_heads)};
    const at::Tensor attended = trees.padded.rows.defined()
                                    ? attend_padded(rows, trees.padded, parameters.dtype())
                                    : attend_each(rows, trees);
    hidden = hidden + parameters.linear(attended, name + "self_attn.o_proj");
    x = normalised(name + "post_attention_layernorm", parameters.dtype());
    const at::Tensor gated = at::silu(parameters.linear(x, name + "mlp.gate_proj")) *
                             parameters.linear(x, name + "mlp.up_proj");
    hidden = hidden + parameters.linear(gated, name + "mlp.down_proj");
  }
  return normalised(prefix + "norm", at::kFloat);
}

}  // namespace aitqe
