#pragma once

#include <cstdint>

#include "aitqe/base/thread_pool.h"

namespace aitqe::kernels {

// Row-wise functions over contiguous f32 [rows, n], spread over the pool's threads. Each row's bits
// depend on that row alone. Meanings as in cpu_dispatch.h.

void rms_norm_rows(const float* x, const float* weight, float eps, std::int64_t rows,
                   std::int64_t n, float* y, ThreadPool& pool);
void layer_norm_rows(const float* x, const float* weight, const float* bias, float eps,
                     std::int64_t rows, std::int64_t n, float* y, ThreadPool& pool);
/// @param gate_up  [rows, 2 n]: gate in the first half of a row, up in the second.
void silu_mul_rows(const float* gate_up, std::int64_t rows, std::int64_t n, float* y,
                   ThreadPool& pool);
void gelu_tanh_rows(float* x, std::int64_t rows, std::int64_t n, ThreadPool& pool);
/// In place: x (1 + erf(x / sqrt 2)) / 2.
void gelu_erf_rows(float* x, std::int64_t rows, std::int64_t n, ThreadPool& pool);

/// y += x over `count` values.
void add_to(const float* x, std::int64_t count, float* y, ThreadPool& pool);

}  // namespace aitqe::kernels
