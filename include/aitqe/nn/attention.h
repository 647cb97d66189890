#pragma once

#include <span>
#include <vector>

#include "aitqe/kernels/attention.h"
#include "aitqe/nn/compute.h"

namespace aitqe::nn {

/// Keys and values of one sequence in one layer. A view: who made it owns the memory.
/// Kernels: keys [kv_heads, head_dim, capacity], values [kv_heads, capacity, padded head_dim].
/// Aten: both [kv_heads, capacity, head_dim].
/// Fused: both [pool rows, kv_heads, head_dim], shared by all sequences of the pool.
struct KvView {
  at::Tensor keys;
  at::Tensor values;
  std::int64_t first_row = 0;  ///< Fused: where in the pool the sequence begins
};

struct PackedIndex;

/// Room for `capacity` or somewhat more tokens in each of `num_layers` layers, zeroed. Fused: a
/// pool of that many rows.
/// @return  one view a layer, over one allocation
std::vector<KvView> allocate_kv(const Compute& compute, std::int64_t num_layers,
                                const kernels::AttentionShape& shape, std::int64_t capacity);

/// Rows of a packed batch that belong to one sequence.
struct AttentionRows {
  std::int64_t first_row = 0;
  std::int64_t num_rows = 0;
  /// Position of the first row in its sequence: so many keys are in the cache already.
  std::int64_t first_position = 0;
};

/// Softmax attention of packed rows, each over its own sequence's cache.
/// Source: eager attention of transformers' Qwen2Attention and SiglipAttention.
/// Over a cache, fused, bf16, on a GPU: FlashAttention over all sequences at once; otherwise one
/// after the other.
class Attention {
 public:
  Attention(const kernels::AttentionShape& shape, std::shared_ptr<const Compute> compute);

  const kernels::AttentionShape& shape() const { return shape_; }

  /// Writes keys and values into the caches at the rows' positions.
  /// @param keys, values  [R, num_kv_heads * head_dim], views whose rows may lie apart
  /// @param rows, caches  one each a sequence; each cache has room for the new rows
  void write(const at::Tensor& keys, const at::Tensor& values, std::span<const AttentionRows> rows,
             std::span<const KvView> caches) const;
  /// Attends to what the caches hold up to the rows' positions.
  /// @param queries  [R, num_heads * head_dim], a view whose rows may lie apart
  /// @param dtype  of the result: that of the queries, or, with Backend::Kernels, bf16
  /// @return  [R, num_heads * head_dim]
  at::Tensor attend(const at::Tensor& queries, std::span<const AttentionRows> rows,
                    std::span<const KvView> caches, at::ScalarType dtype) const;
  /// Fused: attends to what lies in the pool, the rows' own keys and values among it.
  /// @param queries  [R, num_heads * head_dim], a view whose rows may lie apart
  /// @param pool     of any of the sequences: they share it
  at::Tensor attend(const at::Tensor& queries, const PackedIndex& index, const KvView& pool) const;
  /// In what `attend_dense` takes rows: f32 or bf16.
  at::ScalarType dense_dtype() const;
  /// Attends within `num_sequences` runs of rows of the same length that keep no keys and values.
  /// @param qkv    [R, (num_heads + 2 num_kv_heads) * head_dim], in `dense_dtype()`, contiguous
  /// @param dtype  of the result: that of qkv, or, with Backend::Kernels, f32 or bf16
  /// @return       [R, num_heads * head_dim]
  at::Tensor attend_dense(const at::Tensor& qkv, std::int64_t num_sequences,
                          at::ScalarType dtype) const;

 private:
  at::Tensor with_kernels(const at::Tensor& queries, std::span<const AttentionRows> rows,
                          std::span<const KvView> caches, at::ScalarType dtype) const;
  at::Tensor with_aten(const at::Tensor& queries, std::span<const AttentionRows> rows,
                       std::span<const KvView> caches) const;
  void write_with_aten(const at::Tensor& keys, const at::Tensor& values, const AttentionRows& rows,
                       const KvView& cache) const;
  void write_head(const at::Tensor& keys, const at::Tensor& values, const AttentionRows& rows,
                  const KvView& cache, std::int64_t head) const;

  kernels::AttentionShape shape_;
  std::shared_ptr<const Compute> compute_;
};

}  // namespace aitqe::nn
