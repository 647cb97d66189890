#include "aitqe/nn/attention.h"

#include <algorithm>
#include <cstring>

#include "aitqe/nn/packed_index.h"

namespace aitqe::nn {

namespace {

/// One sequence's attention. @param q [H, T, D]  @param k, v [kv_heads, K, D]  @return [T, H * D]
at::Tensor attend_one(const kernels::AttentionShape& shape, const at::Tensor& q,
                      const at::Tensor& k, const at::Tensor& v, std::int64_t first_position) {
  const bool from_start = first_position == 0;
  std::optional<at::Tensor> mask;
  if (shape.causal && !from_start && q.size(1) > 1) {
    mask = at::ones({q.size(1), k.size(1)}, q.options().dtype(at::kBool)).tril(first_position);
  }
  const at::Tensor attended = at::scaled_dot_product_attention(
      q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), mask, /*dropout_p=*/0.0,
      /*is_causal=*/shape.causal && from_start, shape.scale,
      /*enable_gqa=*/shape.num_heads != shape.num_kv_heads);
  return attended.squeeze(0).transpose(0, 1).flatten(1);
}

/// [rows, cols] -> [cols, rows], rows a cache line at most: so each line is written once.
void transpose(const float* from, std::int64_t from_stride, std::int64_t rows, std::int64_t cols,
               float* to, std::int64_t to_stride) {
  for (std::int64_t col = 0; col < cols; ++col) {
    for (std::int64_t row = 0; row < rows; ++row) {
      to[col * to_stride + row] = from[row * from_stride + col];
    }
  }
}

/// What the FlashAttention of libtorch takes, that of 2.11 at least.
bool fits_flash(const kernels::AttentionShape& shape, const Compute& compute) {
  return compute.device.is_cuda() && compute.dtype == at::kBFloat16 && shape.head_dim % 8 == 0 &&
         shape.head_dim <= 256;
}

}  // namespace

std::vector<KvView> allocate_kv(const Compute& compute, std::int64_t num_layers,
                                const kernels::AttentionShape& shape, std::int64_t capacity) {
  const std::int64_t room = kernels::round_up(capacity, kernels::kPanelCols);
  const std::int64_t heads = shape.num_kv_heads;
  const bool own = compute.backend == Backend::Kernels;
  const std::int64_t value_dim =
      own ? kernels::round_up(shape.head_dim, kernels::kLanes) : shape.head_dim;
  const auto options = compute.activation_options();
  if (compute.backend == Backend::Fused) {
    const at::Tensor kv = at::zeros({2, num_layers, room, heads, shape.head_dim}, options);
    std::vector<KvView> pools;
    for (std::int64_t layer = 0; layer < num_layers; ++layer) {
      pools.push_back({kv[0][layer], kv[1][layer]});
    }
    return pools;
  }
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
  if (compute_->backend == Backend::Aten) {
    for (std::size_t i = 0; i < rows.size(); ++i) write_with_aten(keys, values, rows[i], caches[i]);
    return;
  }
  const auto heads = static_cast<std::size_t>(shape_.num_kv_heads);
  compute_->pool->parallel_for(rows.size() * heads, [&](std::size_t task) {
    write_head(keys, values, rows[task / heads], caches[task / heads],
               static_cast<std::int64_t>(task % heads));
  });
}

at::Tensor Attention::attend(const at::Tensor& queries, std::span<const AttentionRows> rows,
                             std::span<const KvView> caches, at::ScalarType dtype) const {
  return compute_->backend == Backend::Kernels ? with_kernels(queries, rows, caches, dtype)
                                               : with_aten(queries, rows, caches);
}

void Attention::write_with_aten(const at::Tensor& keys, const at::Tensor& values,
                                const AttentionRows& rows, const KvView& cache) const {
  const auto heads_first = [&](const at::Tensor& x) {  // [kv_heads, rows, head_dim]
    return x.narrow(0, rows.first_row, rows.num_rows)
        .unflatten(1, {shape_.num_kv_heads, shape_.head_dim})
        .transpose(0, 1);
  };
  cache.keys.narrow(1, rows.first_position, rows.num_rows).copy_(heads_first(keys));
  cache.values.narrow(1, rows.first_position, rows.num_rows).copy_(heads_first(values));
}

void Attention::write_head(const at::Tensor& keys, const at::Tensor& values,
                           const AttentionRows& rows, const KvView& cache,
                           std::int64_t head) const {
  const std::int64_t dim = shape_.head_dim;
  const std::int64_t room = cache.keys.size(2);
  const std::int64_t value_dim = cache.values.size(2);
  const float* from_keys =
      keys.const_data_ptr<float>() + rows.first_row * keys.stride(0) + head * dim;
  const float* from_values =
      values.const_data_ptr<float>() + rows.first_row * values.stride(0) + head * dim;
  float* to_keys = cache.keys.mutable_data_ptr<float>() + head * dim * room + rows.first_position;
  float* to_values =
      cache.values.mutable_data_ptr<float>() + (head * room + rows.first_position) * value_dim;
  for (std::int64_t first = 0; first < rows.num_rows; first += kernels::kLanes) {
    const std::int64_t count = std::min<std::int64_t>(kernels::kLanes, rows.num_rows - first);
    transpose(from_keys + first * keys.stride(0), keys.stride(0), count, dim, to_keys + first,
              room);
  }
  for (std::int64_t row = 0; row < rows.num_rows; ++row) {
    std::memcpy(to_values + row * value_dim, from_values + row * values.stride(0),
                static_cast<std::size_t>(dim) * sizeof(float));
  }
}

at::Tensor Attention::with_kernels(const at::Tensor& queries, std::span<const AttentionRows> rows,
                                   std::span<const KvView> caches, at::ScalarType dtype) const {
  const std::int64_t width = std::int64_t{shape_.num_heads} * shape_.head_dim;
  at::Tensor out = at::empty({queries.size(0), width}, queries.options().dtype(dtype));
  auto* to = static_cast<char*>(out.mutable_data_ptr());
  std::vector<kernels::AttentionSpan> spans;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    spans.push_back(
        {queries.const_data_ptr<float>() + rows[i].first_row * queries.stride(0), queries.stride(0),
         rows[i].num_rows, rows[i].first_position, rows[i].first_position + rows[i].num_rows,
         caches[i].keys.const_data_ptr<float>(), caches[i].values.const_data_ptr<float>(),
         caches[i].keys.size(2), caches[i].values.size(2),
         to + rows[i].first_row * width * out.element_size(), kernel_type(dtype)});
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
                             .transpose(0, 1);  // [H, T, D]
    out.narrow(0, rows[i].first_row, num_rows)
        .copy_(attend_one(shape_, q, caches[i].keys.narrow(1, 0, num_keys),
                          caches[i].values.narrow(1, 0, num_keys), rows[i].first_position));
  }
  return out;
}

at::Tensor Attention::attend(const at::Tensor& queries, const PackedIndex& index,
                             const KvView& pool) const {
  const at::Tensor q = queries.unflatten(1, {shape_.num_heads, shape_.head_dim});  // [R, H, D]
  if (fits_flash(shape_, *compute_)) {
    // Keys of a sequence begin at first_keys[i] and are num_keys[i]; that the differences of
    // first_keys are no lengths plays no part once `seqused_k` is given. Causal is flush with the
    // last key, as a sequence that goes on needs it.
    const at::Tensor attended = std::get<0>(at::_flash_attention_forward(
        q, pool.keys, pool.values, index.cum_rows, index.first_keys, index.max_rows, index.max_keys,
        /*dropout_p=*/0.0, shape_.causal, /*return_debug_mask=*/false, shape_.scale, std::nullopt,
        std::nullopt, index.num_keys));
    return attended.flatten(1);
  }
  const at::Tensor cum_rows = index.cum_rows.cpu();
  const at::Tensor first_keys = index.first_keys.cpu();
  const at::Tensor num_keys = index.num_keys.cpu();
  const auto* row_of = cum_rows.const_data_ptr<std::int32_t>();
  std::vector<at::Tensor> attended;
  for (std::int64_t i = 0; i < num_keys.size(0); ++i) {
    const std::int64_t keys = num_keys.const_data_ptr<std::int32_t>()[i];
    const std::int64_t first_key = first_keys.const_data_ptr<std::int32_t>()[i];
    const std::int64_t rows = row_of[i + 1] - row_of[i];
    if (rows == 0) continue;
    const auto own = [&](const at::Tensor& x) {
      return x.narrow(0, first_key, keys).transpose(0, 1);
    };
    attended.push_back(attend_one(shape_, q.narrow(0, row_of[i], rows).transpose(0, 1),
                                  own(pool.keys), own(pool.values), keys - rows));
  }
  return at::cat(attended);
}

at::ScalarType Attention::dense_dtype() const {
  if (compute_->backend != Backend::Kernels) return compute_->activation_dtype();
  return shape_.head_dim % 2 == 0 ? compute_->dtype : at::kFloat;
}

at::Tensor Attention::attend_dense(const at::Tensor& qkv, std::int64_t num_sequences,
                                   at::ScalarType dtype) const {
  if (compute_->backend == Backend::Kernels) {
    const std::int64_t width = std::int64_t{shape_.num_heads} * shape_.head_dim;
    at::Tensor out = at::empty({qkv.size(0), width}, qkv.options().dtype(dtype));
    kernels::attention_dense(
        {qkv.const_data_ptr(), kernel_type(qkv.scalar_type()), num_sequences,
         qkv.size(0) / num_sequences, out.mutable_data_ptr(), kernel_type(dtype)},
        shape_, *compute_->pool);
    return out;
  }
  const at::Tensor heads =
      qkv.view({num_sequences, -1, shape_.num_heads + 2 * shape_.num_kv_heads, shape_.head_dim})
          .transpose(1, 2);  // [B, H + 2 kv_heads, T, D]
  const at::Tensor attended = at::scaled_dot_product_attention(
      heads.narrow(1, 0, shape_.num_heads), heads.narrow(1, shape_.num_heads, shape_.num_kv_heads),
      heads.narrow(1, shape_.num_heads + shape_.num_kv_heads, shape_.num_kv_heads), std::nullopt,
      /*dropout_p=*/0.0, shape_.causal, shape_.scale,
      /*enable_gqa=*/shape_.num_heads != shape_.num_kv_heads);
  return attended.transpose(1, 2).flatten(2).flatten(0, 1);
}

}  // namespace aitqe::nn
