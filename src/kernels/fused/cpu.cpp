#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "aitqe/kernels/fused.h"
#include "arithmetic.h"

namespace aitqe::kernels {

namespace {

using fused::Bf16;

/// Adds the upper half of `count` values to the lower until one is left.
float add_in_halves(float* values, int count) {
  for (int half = count / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) values[i] += values[i + half];
  }
  return values[0];
}

float sum_of_squares(const std::vector<float>& row) {
  std::array<float, fused::kNormThreads> partial{};
  for (std::size_t i = 0; i < row.size(); ++i) {
    partial[i / fused::kRun % fused::kNormThreads] += row[i] * row[i];
  }
  std::array<float, fused::kNormWarps> of_warp{};
  for (int warp = 0; warp < fused::kNormWarps; ++warp) {
    of_warp[static_cast<std::size_t>(warp)] =
        add_in_halves(partial.data() + warp * fused::kLanesOfWarp, fused::kLanesOfWarp);
  }
  return add_in_halves(of_warp.data(), fused::kNormWarps);
}

template <typename T>
void add_rms_norm(const AddRmsNorm& work) {
  std::vector<float> row(static_cast<std::size_t>(work.n));
  for (std::int64_t r = 0; r < work.rows; ++r) {
    T* hidden = static_cast<T*>(work.hidden) + r * work.n;
    T* out = static_cast<T*>(work.out) + r * work.n;
    for (std::int64_t i = 0; i < work.n; ++i) {
      if (work.update != nullptr) {
        hidden[i] = fused::add(hidden[i], static_cast<const T*>(work.update)[r * work.n + i]);
      }
      row[static_cast<std::size_t>(i)] = fused::widen(hidden[i]);
    }
    const float mean = sum_of_squares(row) / static_cast<float>(work.n);
    const float scale = 1.0F / std::sqrt(mean + work.eps);
    for (std::int64_t i = 0; i < work.n; ++i) {
      out[i] = fused::scale_norm<T>(row[static_cast<std::size_t>(i)], scale, work.weight[i]);
    }
  }
}

/// @param to  where the turned head goes: `head` itself, or elsewhere
template <typename T>
void turn(const T* head, const float* cos, const float* sin, int half, T* to) {
  for (int i = 0; i < half; ++i) {
    const T x1 = head[i];
    const T x2 = head[i + half];
    to[i] = fused::turn_first(x1, x2, cos[i], sin[i]);
    to[i + half] = fused::turn_second(x1, x2, cos[i], sin[i]);
  }
}

template <typename T>
void turn_and_store(const TurnAndStore& work) {
  const int half = work.head_dim / 2;
  const std::int64_t kv_width = std::int64_t{work.num_kv_heads} * work.head_dim;
  const std::int64_t query_width = std::int64_t{work.num_heads} * work.head_dim;
  for (std::int64_t r = 0; r < work.rows; ++r) {
    T* row = static_cast<T*>(work.qkv) + r * (query_width + 2 * kv_width);
    const float* cos = work.cos + std::int64_t{work.positions[r]} * half;
    const float* sin = work.sin + std::int64_t{work.positions[r]} * half;
    T* keys = static_cast<T*>(work.keys) + work.places[r] * kv_width;
    T* values = static_cast<T*>(work.values) + work.places[r] * kv_width;
    for (std::int64_t at = 0; at < query_width; at += work.head_dim) {
      turn(row + at, cos, sin, half, row + at);
    }
    for (std::int64_t at = 0; at < kv_width; at += work.head_dim) {
      turn(row + query_width + at, cos, sin, half, keys + at);
    }
    std::copy_n(row + query_width + kv_width, kv_width, values);
  }
}

template <typename T>
void silu_mul(const SiluMul& work) {
  for (std::int64_t r = 0; r < work.rows; ++r) {
    const T* gate = static_cast<const T*>(work.gate_up) + r * 2 * work.n;
    const T* up = gate + work.n;
    T* out = static_cast<T*>(work.out) + r * work.n;
    for (std::int64_t i = 0; i < work.n; ++i) {
      out[i] = fused::silu_mul(gate[i], up[i], std::exp(-fused::widen(gate[i])));
    }
  }
}

}  // namespace

const FusedKernels& fused_kernels_on_cpu() {
  static constexpr FusedKernels kKernels{
      [](const AddRmsNorm& work, Queue) {
        work.type == ScalarType::F32 ? add_rms_norm<float>(work) : add_rms_norm<Bf16>(work);
      },
      [](const TurnAndStore& work, Queue) {
        work.type == ScalarType::F32 ? turn_and_store<float>(work) : turn_and_store<Bf16>(work);
      },
      [](const SiluMul& work, Queue) {
        work.type == ScalarType::F32 ? silu_mul<float>(work) : silu_mul<Bf16>(work);
      }};
  return kKernels;
}

}  // namespace aitqe::kernels
