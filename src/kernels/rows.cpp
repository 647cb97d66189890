#include "aitqe/kernels/rows.h"

#include <algorithm>
#include <cmath>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kValuesPerTask = 16384;

template <typename Row>
void for_rows(std::int64_t rows, std::int64_t n, ThreadPool& pool, const Row& row_function) {
  const std::int64_t together =
      std::max<std::int64_t>(1, kValuesPerTask / std::max<std::int64_t>(n, 1));
  const auto run = [&](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * together;
    for (std::int64_t row = first; row < std::min(rows, first + together); ++row) row_function(row);
  };
  pool.parallel_for(static_cast<std::size_t>((rows + together - 1) / together), run);
}

}  // namespace

void rms_norm_rows(const float* x, const float* weight, float eps, std::int64_t rows,
                   std::int64_t n, float* y, ThreadPool& pool) {
  for_rows(rows, n, pool, [&](std::int64_t row) {
    cpu_kernels().rms_norm(x + row * n, weight, eps, n, y + row * n);
  });
}

void layer_norm_rows(const float* x, const float* weight, const float* bias, float eps,
                     std::int64_t rows, std::int64_t n, float* y, ThreadPool& pool) {
  for_rows(rows, n, pool, [&](std::int64_t row) {
    cpu_kernels().layer_norm(x + row * n, weight, bias, eps, n, y + row * n);
  });
}

void silu_mul_rows(const float* gate_up, std::int64_t rows, std::int64_t n, float* y,
                   ThreadPool& pool) {
  for_rows(rows, n, pool, [&](std::int64_t row) {
    const float* gate = gate_up + row * 2 * n;
    cpu_kernels().silu_mul(gate, gate + n, n, y + row * n);
  });
}

void gelu_tanh_rows(float* x, std::int64_t rows, std::int64_t n, ThreadPool& pool) {
  for_rows(rows, n, pool, [&](std::int64_t row) { cpu_kernels().gelu_tanh(x + row * n, n); });
}

void gelu_erf_rows(float* x, std::int64_t rows, std::int64_t n, ThreadPool& pool) {
  constexpr float kInverseSqrt2 = 0.70710678118654752F;
  for_rows(rows, n, pool, [&](std::int64_t row) {
    for (float* value = x + row * n; value != x + (row + 1) * n; ++value) {
      *value = 0.5F * *value * (1.0F + std::erf(*value * kInverseSqrt2));
    }
  });
}

void add_to(const float* x, std::int64_t count, float* y, ThreadPool& pool) {
  const auto add = [&](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * kValuesPerTask;
    for (std::int64_t i = first; i < std::min(count, first + kValuesPerTask); ++i) y[i] += x[i];
  };
  pool.parallel_for(static_cast<std::size_t>((count + kValuesPerTask - 1) / kValuesPerTask), add);
}

}  // namespace aitqe::kernels
