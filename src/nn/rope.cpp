#include "aitqe/nn/rope.h"

#include <cmath>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::nn {

Rope::Rope(double theta, std::int64_t head_dim, std::int64_t max_positions,
           std::shared_ptr<const Compute> compute)
    : compute_(std::move(compute)), head_dim_(head_dim) {
  const std::int64_t half = head_dim / 2;
  at::Tensor cos = at::empty({max_positions, half}, at::kFloat);
  at::Tensor sin = at::empty({max_positions, half}, at::kFloat);
  auto* cos_data = cos.mutable_data_ptr<float>();
  auto* sin_data = sin.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < half; ++i) {
    // f32 as in the reference: the exponent, the power, its inverse and the product are each
    // rounded.
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(head_dim);
    const float frequency = 1.0F / static_cast<float>(std::pow(theta, double{exponent}));
    for (std::int64_t position = 0; position < max_positions; ++position) {
      const float angle = static_cast<float>(position) * frequency;
      cos_data[position * half + i] = std::cos(angle);
      sin_data[position * half + i] = std::sin(angle);
    }
  }
  cos_ = cos.to(compute_->device);
  sin_ = sin.to(compute_->device);
}

void Rope::turn_and_store(at::Tensor qkv, const kernels::AttentionShape& shape,
                          const PackedIndex& index, const KvView& pool) const {
  compute_->fused().turn_and_store(
      {compute_->fused_type(), qkv.size(0), shape.num_heads, shape.num_kv_heads, shape.head_dim,
       qkv.mutable_data_ptr(), cos_.const_data_ptr<float>(), sin_.const_data_ptr<float>(),
       index.positions.const_data_ptr<std::int32_t>(), index.places.const_data_ptr<std::int32_t>(),
       pool.keys.mutable_data_ptr(), pool.values.mutable_data_ptr()},
      compute_->queue());
}

void Rope::apply(at::Tensor x, std::span<const std::int64_t> positions) const {
  const std::int64_t rows = x.size(0);
  const std::int64_t heads = x.size(1) / head_dim_;
  const std::int64_t half = head_dim_ / 2;
  if (compute_->backend != Backend::Kernels) {
    const at::Tensor index =
        at::tensor(at::ArrayRef<std::int64_t>(positions.data(), positions.size()), at::kLong)
            .to(x.device());
    const at::Tensor cos =
        cos_.index_select(0, index).to(x.scalar_type()).unsqueeze(1);  // [R, 1, half]
    const at::Tensor sin = sin_.index_select(0, index).to(x.scalar_type()).unsqueeze(1);
    const at::Tensor split = x.unflatten(1, {heads, 2, half});  // [R, heads, 2, half]
    const at::Tensor x1 = split.select(2, 0).clone();
    const at::Tensor x2 = split.select(2, 1).clone();
    split.select(2, 0).copy_(x1 * cos - x2 * sin);
    split.select(2, 1).copy_(x2 * cos + x1 * sin);
    return;
  }
  auto* data = x.mutable_data_ptr<float>();
  const auto* cos = cos_.const_data_ptr<float>();
  const auto* sin = sin_.const_data_ptr<float>();
  const auto rotate = [&](std::size_t row) {
    const std::int64_t at_position = positions[row] * half;
    for (std::int64_t head = 0; head < heads; ++head) {
      kernels::cpu_kernels().rope(
          data + static_cast<std::int64_t>(row) * x.stride(0) + head * head_dim_, cos + at_position,
          sin + at_position, half);
    }
  };
  compute_->pool->parallel_for(static_cast<std::size_t>(rows), rotate);
}

}  // namespace aitqe::nn
