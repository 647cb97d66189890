#include "aitqe/kernels/gemm.h"

#include <algorithm>
#include <cstring>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kPanelsPerTask = 8;        // 256 columns: a depth block of them fits in L2
constexpr std::int64_t kPanelsPerPackedTask = 4;  // packing space of one thread
constexpr std::int64_t kRowsPerTask = 192;
constexpr std::int64_t kInlineProducts = std::int64_t{1}
                                         << 17;  // below this a hand-over costs more

/// 32-bit words of one depth block.
std::int64_t words_of(Compute compute, std::int64_t depth) {
  return compute == Compute::F32 ? depth : (depth + 1) / 2;
}

/// Rows of x as words of the computing type: itself, or rounded pairs.
const std::uint32_t* as_words(const float* x, std::int64_t m, std::int64_t k, Compute compute,
                              ThreadPool& pool, std::vector<std::uint32_t>& space) {
  if (compute == Compute::F32) return reinterpret_cast<const std::uint32_t*>(x);
  const std::int64_t words = (k + 1) / 2;
  space.resize(static_cast<std::size_t>(m * words));
  constexpr std::int64_t kRowsTogether = 16;
  const auto convert = [&](std::size_t chunk) {
    const auto first = static_cast<std::int64_t>(chunk) * kRowsTogether;
    for (std::int64_t row = first; row < std::min(m, first + kRowsTogether); ++row) {
      auto* to = reinterpret_cast<std::uint16_t*>(space.data() + row * words);
      cpu_kernels().to_bf16(x + row * k, k, to);
      if (k % 2 != 0) to[k] = 0;
    }
  };
  const auto chunks = static_cast<std::size_t>((m + kRowsTogether - 1) / kRowsTogether);
  if (m * k < kInlineProducts) {
    for (std::size_t i = 0; i < chunks; ++i) convert(i);
  } else {
    pool.parallel_for(chunks, convert);
  }
  return space.data();
}

}  // namespace

struct GemmWeight::Job {
  const std::uint32_t* x;
  std::int64_t x_stride;  // in words
  const float* bias;
  float* y;
  std::int64_t y_stride;
};

GemmWeight::GemmWeight(WeightView view, Compute compute, Packing packing,
                       std::shared_ptr<const void> keep_alive, ThreadPool& pool)
    : view_(view), compute_(compute), keep_alive_(std::move(keep_alive)) {
  if (packing == Packing::OnTheFly) return;
  packed_.resize(static_cast<std::size_t>(num_panels() * words_per_panel()));
  pool.parallel_for(static_cast<std::size_t>(num_panels()), [&](std::size_t panel) {
    std::uint32_t* to = packed_.data() + static_cast<std::int64_t>(panel) * words_per_panel();
    for (std::int64_t k0 = 0; k0 < view_.cols; k0 += kDepthBlock) {
      const auto depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, view_.cols - k0));
      pack_panel(static_cast<std::int64_t>(panel), k0, depth, to);
      to += words_of(compute_, depth) * kPanelCols;
    }
  });
  view_.data = nullptr;
  keep_alive_.reset();
}

std::size_t GemmWeight::packed_bytes() const { return packed_.size() * sizeof(std::uint32_t); }

std::int64_t GemmWeight::words_per_panel() const {
  return words_of(compute_, view_.cols) * kPanelCols;
}

void GemmWeight::pack_panel(std::int64_t panel, std::int64_t k0, int depth,
                            std::uint32_t* to) const {
  const std::int64_t n0 = panel * kPanelCols;
  const int cols = static_cast<int>(std::min<std::int64_t>(kPanelCols, view_.rows - n0));
  const auto* from = static_cast<const char*>(view_.data) +
                     (n0 * view_.cols + k0) * static_cast<std::int64_t>(size_bytes(view_.type));
  if (compute_ == Compute::F32) {
    cpu_kernels().pack_f32(from, view_.type, view_.cols, cols, depth, reinterpret_cast<float*>(to));
  } else {
    cpu_kernels().pack_bf16(from, view_.type, view_.cols, cols, depth, to);
  }
}

void GemmWeight::run_columns(const Job& job, std::int64_t first_panel, std::int64_t end_panel,
                             std::int64_t first_row, std::int64_t end_row) const {
  thread_local std::vector<std::uint32_t> packing_space;
  thread_local std::vector<float> edge_space;
  const CpuKernels& kernels = cpu_kernels();
  const int rows = static_cast<int>(end_row - first_row);
  const std::int64_t ldy = job.y_stride;
  const std::int64_t panel_words = std::int64_t{kDepthBlock} * kPanelCols;
  if (packed_.empty()) packing_space.resize((end_panel - first_panel) * panel_words);

  for (std::int64_t k0 = 0; k0 < view_.cols; k0 += kDepthBlock) {
    const int depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, view_.cols - k0));
    const int words = static_cast<int>(words_of(compute_, depth));
    const std::uint32_t* x = job.x + first_row * job.x_stride + words_of(compute_, k0);
    for (std::int64_t panel = first_panel; panel < end_panel; ++panel) {
      const std::uint32_t* b =
          packed_.data() + panel * words_per_panel() + words_of(compute_, k0) * kPanelCols;
      if (packed_.empty()) {
        std::uint32_t* to = packing_space.data() + (panel - first_panel) * panel_words;
        pack_panel(panel, k0, depth, to);
        b = to;
      }
      const std::int64_t n0 = panel * kPanelCols;
      const bool whole = n0 + kPanelCols <= view_.rows;
      float* y = job.y + first_row * ldy + n0;
      // A panel that hangs over the last column is summed beside y and copied in at the end.
      if (!whole) edge_space.resize(static_cast<std::size_t>(rows) * kPanelCols);
      float* to = whole ? y : edge_space.data();
      const std::int64_t ld_to = whole ? ldy : kPanelCols;
      if (compute_ == Compute::F32) {
        kernels.gemm_f32(reinterpret_cast<const float*>(x), job.x_stride,
                         reinterpret_cast<const float*>(b), kPanelCols, rows, kPanelCols, words, to,
                         ld_to, k0 > 0);
      } else {
        kernels.gemm_bf16(x, job.x_stride, b, kPanelCols, rows, kPanelCols, words, to, ld_to,
                          k0 > 0);
      }
      if (whole || k0 + kDepthBlock < view_.cols) continue;
      for (int m = 0; m < rows; ++m) {
        std::memcpy(y + m * ldy, edge_space.data() + std::int64_t{m} * kPanelCols,
                    static_cast<std::size_t>(view_.rows - n0) * sizeof(float));
      }
    }
  }
  if (job.bias == nullptr) return;
  const std::int64_t n0 = first_panel * kPanelCols;
  const std::int64_t n1 = std::min(view_.rows, end_panel * kPanelCols);
  for (std::int64_t m = first_row; m < end_row; ++m) {
    for (std::int64_t n = n0; n < n1; ++n) job.y[m * ldy + n] += job.bias[n];
  }
}

void GemmWeight::multiply(const float* x, std::int64_t m, const float* bias, float* y,
                          std::int64_t y_stride, ThreadPool& pool) const {
  std::vector<std::uint32_t> rounded;
  const Job job{as_words(x, m, view_.cols, compute_, pool, rounded), words_of(compute_, view_.cols),
                bias, y, y_stride};
  // Packing on the fly is paid once per task: there a task takes all rows.
  const bool ahead = !packed_.empty();
  const std::int64_t panels_per_task = ahead ? kPanelsPerTask : kPanelsPerPackedTask;
  const std::int64_t rows_per_task = ahead ? kRowsPerTask : std::max<std::int64_t>(m, 1);
  const std::int64_t column_tasks = (num_panels() + panels_per_task - 1) / panels_per_task;
  const std::int64_t row_tasks = (m + rows_per_task - 1) / rows_per_task;
  const auto run = [&](std::size_t task) {
    const std::int64_t column_task = static_cast<std::int64_t>(task) % column_tasks;
    const std::int64_t row_task = static_cast<std::int64_t>(task) / column_tasks;
    run_columns(job, column_task * panels_per_task,
                std::min(num_panels(), (column_task + 1) * panels_per_task),
                row_task * rows_per_task, std::min(m, (row_task + 1) * rows_per_task));
  };
  const auto num_tasks = static_cast<std::size_t>(column_tasks * row_tasks);
  if (m * view_.rows * view_.cols < kInlineProducts) {
    for (std::size_t task = 0; task < num_tasks; ++task) run(task);
  } else {
    pool.parallel_for(num_tasks, run);
  }
}

}  // namespace aitqe::kernels
