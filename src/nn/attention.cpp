#include "aitqe/nn/attention.h"

#include <algorithm>
#include <cstring>

namespace aitqe::nn {

std::vector<KvView> allocate_kv(const Compute& compute, std::int64_t num_layers,
                                const kernels::AttentionShape& shape, std::int64_t capacity) {
  const std::int64_t room = kernels::round_up(capacity, kernels::kPanelCols);
  const std::int64_t heads = shape.num_kv_heads;
  const bool own = compute.backend == Backend::Kernels;
  const std::int64_t value_dim =
      own ? kernels::round_up(shape.head_dim, kernels::kLanes) : shape.head_dim;
  const auto options = compute.activation_options();
  const at::Tensor keys = own ? at::zeros({num_layers, heads, shape.head_dim, room}, options)
                              : at::zeros({num_layers, heads, room, shape.head_dim}, options);
  const at::Tensor values = at::zeros({num_layers, heads, room, value_dim}, options);
  std::vector<KvView> views;
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    views.push_back({keys.select(0, layer), values.select(0, layer)});
  }
  return views;
}

Attention::Attention(const kernels::AttentionShape& shape, std::shared_ptr<const Compute> compute)
    : shape_(shape), compute_(std::move(compute)) {}

void Attention::write(const at::Tensor& keys, const at::Tensor& values,
                      std::span<const AttentionRows> rows, std::span<const KvView> caches) const {
  for (std::size_t i = 0; i < rows.size(); ++i) write_one(keys, values, rows[i], caches[i]);
}

at::Tensor Attention::attend(const at::Tensor& queries, std::span<const AttentionRows> rows,
                             std::span<const KvView> caches) const {
  return compute_->backend == Backend::Kernels ? with_kernels(queries, rows, caches)
                                               : with_aten(queries, rows, caches);
}

void Attention::write_one(const at::Tensor& keys, const at::Tensor& values,
                          const AttentionRows& rows, const KvView& cache) const {
  const std::int64_t dim = shape_.head_dim;
  if (compute_->backend == Backend::Aten) {
    const auto heads_first = [&](const at::Tensor& x) {  // [kv_heads, rows, head_dim]
      return x.narrow(0, rows.first_row, rows.num_rows)
          .unflatten(1, {shape_.num_kv_heads, dim})
          .transpose(0, 1);
    };
    cache.keys.narrow(1, rows.first_position, rows.num_rows).copy_(heads_first(keys));
    cache.values.narrow(1, rows.first_position, rows.num_rows).copy_(heads_first(values));
    return;
  }
  const std::int64_t room = cache.keys.size(2);
  const std::int64_t value_dim = cache.values.size(2);
  const float* from_keys = keys.const_data_ptr<float>() + rows.first_row * keys.stride(0);
  const float* from_values = values.const_data_ptr<float>() + rows.first_row * values.stride(0);
  auto* to_keys = cache.keys.mutable_data_ptr<float>();
  auto* to_values = cache.values.mutable_data_ptr<float>();
  const auto write_head = [&](std::size_t index) {
    const auto head = static_cast<std::int64_t>(index);
    for (std::int64_t row = 0; row < rows.num_rows; ++row) {
      const std::int64_t position = rows.first_position + row;
      const float* key = from_keys + row * keys.stride(0) + head * dim;
      float* key_column = to_keys + head * dim * room + position;
      for (std::int64_t d = 0; d < dim; ++d) key_column[d * room] = key[d];
      std::memcpy(to_values + (head * room + position) * value_dim,
                  from_values + row * values.stride(0) + head * dim,
                  static_cast<std::size_t>(dim) * sizeof(float));
    }
  };
  const auto heads = static_cast<std::size_t>(shape_.num_kv_heads);
  if (rows.num_rows == 1) {
    for (std::size_t head = 0; head < heads; ++head) write_head(head);
  } else {
    compute_->pool->parallel_for(heads, write_head);
  }
}

at::Tensor Attention::with_kernels(const at::Tensor& queries, std::span<const AttentionRows> rows,
                                   std::span<const KvView> caches) const {
  const std::int64_t width = std::int64_t{shape_.num_heads} * shape_.head_dim;
  at::Tensor out = at::empty({queries.size(0), width}, queries.options());
  std::vector<kernels::AttentionSpan> spans;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spans.push_back(
        {queries.const_data_ptr<float>() + rows[i].first_row * queries.stride(0), queries.stride(0),
         rows[i].num_rows, rows[i].first_position, rows[i].first_position + rows[i].num_rows,
         caches[i].keys.const_data_ptr<float>(), caches[i].values.const_data_ptr<float>(),
         caches[i].keys.size(2), caches[i].values.size(2),
         out.mutable_data_ptr<float>() + rows[i].first_row * width});
  }
  kernels::attention(spans, shape_, *compute_->pool);
  return out;
}

at::Tensor Attention::with_aten(const at::Tensor& queries, std::span<const AttentionRows> rows,
                                std::span<const KvView> caches) const {
  const std::int64_t dim = shape_.head_dim;
  at::Tensor out = at::empty({queries.size(0), shape_.num_heads * dim}, queries.options());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t num_rows = rows[i].num_rows;
    const std::int64_t num_keys = rows[i].first_position + num_rows;
    const at::Tensor q = queries.narrow(0, rows[i].first_row, num_rows)
                             .unflatten(1, {shape_.num_heads, dim})
                             .transpose(0, 1)
                             .unsqueeze(0);  // [1, H, T, D]
    const at::Tensor k = caches[i].keys.narrow(1, 0, num_keys).unsqueeze(0);
    const at::Tensor v = caches[i].values.narrow(1, 0, num_keys).unsqueeze(0);
    const bool from_start = rows[i].first_position == 0;
    std::optional<at::Tensor> mask;
    if (shape_.causal && !from_start && num_rows > 1) {
      mask = at::ones({num_rows, num_keys}, queries.options().dtype(at::kBool))
                 .tril(rows[i].first_position);
    }
    const at::Tensor attended = at::scaled_dot_product_attention(
        q, k, v, mask, /*dropout_p=*/0.0, /*is_causal=*/shape_.causal && from_start, shape_.scale,
        /*enable_gqa=*/shape_.num_heads != shape_.num_kv_heads);
    out.narrow(0, rows[i].first_row, num_rows)
        .copy_(attended.squeeze(0).transpose(0, 1).flatten(1));
  }
  return out;
}

}  // namespace aitqe::nn
