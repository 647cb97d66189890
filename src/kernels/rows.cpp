#include "aitqe/kernels/rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "aitqe/kernels/cpu_dispatch.h"
#include "store.h"

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

/// @param norm  norm(row of hidden, where its n results go)
template <typename Norm>
void add_norm_rows(const ResidualNorm& job, ThreadPool& pool, const Norm& norm) {
  for_rows(job.rows, job.n, pool, [&](std::int64_t row) {
    thread_local std::vector<float> wide;
    const std::int64_t at = row * job.n;
    float* hidden = job.hidden + at;
    if (job.update != nullptr) add(job.update + at, job.n, hidden);
    wide.resize(static_cast<std::size_t>(job.n));
    norm(hidden, wide.data());
    store(wide.data(), job.n, job.y, job.y_type, at);
  });
}

}  // namespace

void add_rms_norm_rows(const ResidualNorm& job, ThreadPool& pool) {
  add_norm_rows(job, pool, [&](const float* x, float* y) {
    cpu_kernels().rms_norm(x, job.weight, job.eps, job.n, y);
  });
}

void add_layer_norm_rows(const ResidualNorm& job, ThreadPool& pool) {
  add_norm_rows(job, pool, [&](const float* x, float* y) {
    cpu_kernels().layer_norm(x, job.weight, job.bias, job.eps, job.n, y);
  });
}

void gelu_erf(float* x, std::int64_t n) {
  constexpr float kInverseSqrt2 = 0.70710678118654752F;
  for (float* value = x; value != x + n; ++value) {
    *value = 0.5F * *value * (1.0F + std::erf(*value * kInverseSqrt2));
  }
}

void add_to(const float* x, std::int64_t count, float* y, ThreadPool& pool) {
  const auto add_part = [&](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * kValuesPerTask;
    add(x + first, std::min(count - first, kValuesPerTask), y + first);
  };
  pool.parallel_for(static_cast<std::size_t>((count + kValuesPerTask - 1) / kValuesPerTask),
                    add_part);
}

}  // namespace aitqe::kernels
