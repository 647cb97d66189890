#pragma once

#include <cstdint>

#include "aitqe/base/thread_pool.h"
#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

// Row-wise functions over contiguous f32 [rows, n], spread over the pool's threads. Each row's bits
// depend on that row alone. Meanings as in cpu_dispatch.h.

/// A residual stream, what is added to it, and the norm of the sum.
struct ResidualNorm {
  std::int64_t rows = 0;
  std::int64_t n = 0;
  float* hidden = nullptr;        ///< [rows, n], changed in place
  const float* update = nullptr;  ///< [rows, n]; null: nothing is added
  const float* weight = nullptr;  ///< [n]
  const float* bias = nullptr;    ///< [n]; layer norm only
  float eps = 0.0F;
  void* y = nullptr;                    ///< [rows, n]
  ScalarType y_type = ScalarType::F32;  ///< F32, or BF16: rounded to nearest even
};

/// hidden += update; y = norm(hidden).
void add_rms_norm_rows(const ResidualNorm& job, ThreadPool& pool);
void add_layer_norm_rows(const ResidualNorm& job, ThreadPool& pool);

/// y += x over `count` values.
void add_to(const float* x, std::int64_t count, float* y, ThreadPool& pool);

/// In place, one row: x (1 + erf(x / sqrt 2)) / 2.
void gelu_erf(float* x, std::int64_t n);

}  // namespace aitqe::kernels
