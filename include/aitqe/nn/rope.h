#pragma once

#include <span>

#include "aitqe/nn/compute.h"
#include "aitqe/nn/packed_index.h"

namespace aitqe::nn {

/// Rotary positions in halves: dimension i turns with i + head_dim / 2 by the angle
/// position * theta^(-2 i / head_dim). Source: transformers' Qwen2RotaryEmbedding, rotate_half.
class Rope {
 public:
  Rope(double theta, std::int64_t head_dim, std::int64_t max_positions,
       std::shared_ptr<const Compute> compute);

  std::int64_t max_positions() const { return cos_.size(0); }

  /// Rotates in place.
  /// @param x  [R, heads * head_dim], a view whose rows may lie apart
  /// @param positions  R positions below max_positions
  void apply(at::Tensor x, std::span<const std::int64_t> positions) const;

  /// Fused: turns the queries in place, and puts turned keys and values into the pool.
  /// @param qkv   [R, (num_heads + 2 num_kv_heads) * head_dim], contiguous
  /// @param pool  that `index` speaks of
  void turn_and_store(at::Tensor qkv, const kernels::AttentionShape& shape,
                      const PackedIndex& index, const KvView& pool) const;

 private:
  std::shared_ptr<const Compute> compute_;
  std::int64_t head_dim_;
  at::Tensor cos_;  // [max_positions, head_dim / 2] f32
  at::Tensor sin_;
};

}  // namespace aitqe::nn
