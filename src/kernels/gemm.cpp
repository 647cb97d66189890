#include "aitqe/kernels/gemm.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "aitqe/kernels/cpu_dispatch.h"
#include "packed_memory.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kPanelsPerTask = 8;        // 256 columns: a depth block of them fits in L2
constexpr std::int64_t kPanelsPerPackedTask = 4;  // packing space of one thread
constexpr std::int64_t kRowsPerTask = 192;
constexpr std::int64_t kInlineProducts = std::int64_t{1}
                                         << 17;  // below this a hand-over costs more

/// 32-bit words of the factors themselves, down to `depth`.
std::int64_t factor_words(Compute compute, std::int64_t depth) {
  switch (compute) {
    case Compute::F32:
      return depth;
    case Compute::BF16:
      return (depth + 1) / 2;
    case Compute::Int8:
      return (depth + 3) / 4;
  }
  return 0;
}

/// Whole blocks and the rest of one.
std::int64_t num_blocks(std::int64_t depth) { return round_up(depth, kDepthBlock) / kDepthBlock; }

/// 32-bit words of a row of x.
std::int64_t row_words(Compute compute, std::int64_t depth) {
  return factor_words(compute, depth) + (compute == Compute::Int8 ? num_blocks(depth) : 0);
}

/// 32-bit words of a column of a panel.
std::int64_t column_words(Compute compute, std::int64_t depth) {
  return factor_words(compute, depth) + (compute == Compute::Int8 ? 2 * num_blocks(depth) : 0);
}

void convert_row(const float* row, std::int64_t k, Compute compute, std::uint32_t* to) {
  if (compute == Compute::Int8) {
    for (std::int64_t k0 = 0; k0 < k; k0 += kDepthBlock) {
      const auto depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, k - k0));
      cpu_kernels().to_int8(row + k0, depth, to);
      to += row_words(compute, depth);
    }
    return;
  }
  auto* halves = reinterpret_cast<std::uint16_t*>(to);
  cpu_kernels().to_bf16(row, k, halves);
  if (k % 2 != 0) halves[k] = 0;
}

}  // namespace

GemmRows::GemmRows(const float* x, std::int64_t m, std::int64_t k, Compute compute,
                   ThreadPool& pool)
    : num_rows_(m),
      depth_(k),
      compute_(compute),
      words_(reinterpret_cast<const std::uint32_t*>(x)) {
  if (compute == Compute::F32) return;
  const std::int64_t words = row_words(compute, k);
  converted_ = std::make_unique_for_overwrite<std::uint32_t[]>(static_cast<std::size_t>(m * words));
  words_ = converted_.get();
  constexpr std::int64_t kRowsTogether = 16;
  const auto convert = [&](std::size_t chunk) {
    const auto first = static_cast<std::int64_t>(chunk) * kRowsTogether;
    for (std::int64_t row = first; row < std::min(m, first + kRowsTogether); ++row) {
      convert_row(x + row * k, k, compute, converted_.get() + row * words);
    }
  };
  const auto chunks = static_cast<std::size_t>((m + kRowsTogether - 1) / kRowsTogether);
  if (m * k < kInlineProducts) {
    for (std::size_t i = 0; i < chunks; ++i) convert(i);
  } else {
    pool.parallel_for(chunks, convert);
  }
}

/// What one `multiply` reads and writes.
struct GemmWeight::Job {
  const std::uint32_t* x;
  std::int64_t x_stride;  // in words
  const float* bias;
  float* y;
  std::int64_t y_stride;
};

/// A rectangle of the result that one thread makes.
struct GemmWeight::Task {
  std::int64_t first_panel;
  std::int64_t end_panel;
  std::int64_t first_row;
  std::int64_t end_row;
};

/// The part of a task that reads one depth block of one panel.
struct GemmWeight::Block {
  std::int64_t panel;
  std::int64_t first_depth;
  int depth;
  std::int64_t first_row;
  std::int64_t end_row;
};

GemmWeight::GemmWeight(WeightView view, Compute compute, Packing packing,
                       std::shared_ptr<const void> keep_alive, ThreadPool& pool)
    : view_(view), compute_(compute), keep_alive_(std::move(keep_alive)) {
  if (packing == Packing::OnTheFly) return;
  packed_ = take_packed_memory(packed_words());
  pool.parallel_for(static_cast<std::size_t>(num_panels()), [&](std::size_t panel) {
    std::uint32_t* to = packed_.get() + static_cast<std::int64_t>(panel) * words_per_panel();
    for (std::int64_t k0 = 0; k0 < view_.cols; k0 += kDepthBlock) {
      const auto depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, view_.cols - k0));
      pack_panel(static_cast<std::int64_t>(panel), k0, depth, to);
      to += column_words(compute_, depth) * kPanelCols;
    }
  });
  view_.data = nullptr;
  keep_alive_.reset();
}

std::size_t GemmWeight::packed_bytes() const {
  return packed_ ? packed_words() * sizeof(std::uint32_t) : 0;
}

std::size_t GemmWeight::packed_words() const {
  return static_cast<std::size_t>(num_panels() * words_per_panel());
}

std::int64_t GemmWeight::words_per_panel() const {
  return column_words(compute_, view_.cols) * kPanelCols;
}

void GemmWeight::pack_panel(std::int64_t panel, std::int64_t k0, int depth,
                            std::uint32_t* to) const {
  const std::int64_t n0 = panel * kPanelCols;
  const int cols = static_cast<int>(std::min<std::int64_t>(kPanelCols, view_.rows - n0));
  const auto* from = static_cast<const char*>(view_.data) +
                     (n0 * view_.cols + k0) * static_cast<std::int64_t>(size_bytes(view_.type));
  const CpuKernels& kernels = cpu_kernels();
  switch (compute_) {
    case Compute::F32:
      kernels.pack_f32(from, view_.type, view_.cols, cols, depth, reinterpret_cast<float*>(to));
      break;
    case Compute::BF16:
      kernels.pack_bf16(from, view_.type, view_.cols, cols, depth, to);
      break;
    case Compute::Int8:
      kernels.pack_int8(from, view_.type, view_.cols, cols, depth, to);
      break;
  }
}

void GemmWeight::add_block(const Job& job, const Block& block, const std::uint32_t* panel) const {
  thread_local std::vector<float> edge_space;
  const CpuKernels& kernels = cpu_kernels();
  const std::int64_t n0 = block.panel * kPanelCols;
  const bool is_whole = n0 + kPanelCols <= view_.rows;
  const int rows = static_cast<int>(block.end_row - block.first_row);
  const int words = static_cast<int>(factor_words(compute_, block.depth));
  const std::uint32_t* x =
      job.x + block.first_row * job.x_stride + row_words(compute_, block.first_depth);
  float* y = job.y + block.first_row * job.y_stride + n0;
  // A panel that hangs over the last column is summed beside y and copied in at the end.
  if (!is_whole) edge_space.resize(static_cast<std::size_t>(rows) * kPanelCols);
  float* to = is_whole ? y : edge_space.data();
  const std::int64_t to_stride = is_whole ? job.y_stride : kPanelCols;
  const bool accumulate = block.first_depth > 0;
  if (compute_ == Compute::F32) {
    kernels.gemm_f32(reinterpret_cast<const float*>(x), job.x_stride,
                     reinterpret_cast<const float*>(panel), kPanelCols, rows, kPanelCols, words, to,
                     to_stride, accumulate);
  } else {
    const auto gemm = compute_ == Compute::BF16 ? kernels.gemm_bf16 : kernels.gemm_int8;
    gemm(x, job.x_stride, panel, kPanelCols, rows, kPanelCols, words, to, to_stride, accumulate);
  }
  if (is_whole || block.first_depth + block.depth < view_.cols) return;
  for (int m = 0; m < rows; ++m) {
    std::memcpy(y + m * job.y_stride, edge_space.data() + std::int64_t{m} * kPanelCols,
                static_cast<std::size_t>(view_.rows - n0) * sizeof(float));
  }
}

const std::uint32_t* GemmWeight::packed_block(std::int64_t panel, std::int64_t k0,
                                              int depth) const {
  if (packed_) {
    return packed_.get() + panel * words_per_panel() + column_words(compute_, k0) * kPanelCols;
  }
  thread_local std::vector<std::uint32_t> space;
  space.resize(std::size_t{kDepthBlock} * kPanelCols);
  pack_panel(panel, k0, depth, space.data());
  return space.data();
}

void GemmWeight::run_task(const Job& job, const Task& task) const {
  for (std::int64_t k0 = 0; k0 < view_.cols; k0 += kDepthBlock) {
    const int depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, view_.cols - k0));
    for (std::int64_t panel = task.first_panel; panel < task.end_panel; ++panel) {
      add_block(job, {panel, k0, depth, task.first_row, task.end_row},
                packed_block(panel, k0, depth));
    }
  }
  if (job.bias == nullptr) return;
  const std::int64_t end_column = std::min(view_.rows, task.end_panel * kPanelCols);
  for (std::int64_t m = task.first_row; m < task.end_row; ++m) {
    float* y = job.y + m * job.y_stride;
    for (std::int64_t n = task.first_panel * kPanelCols; n < end_column; ++n) y[n] += job.bias[n];
  }
}

void GemmWeight::multiply(const GemmRows& x, const float* bias, float* y, std::int64_t y_stride,
                          ThreadPool& pool) const {
  assert(x.compute_ == compute_ && x.depth_ == view_.cols);
  const std::int64_t m = x.num_rows();
  const Job job{x.words_, row_words(compute_, view_.cols), bias, y, y_stride};
  // Packing on the fly is paid once per task: there a task takes all rows.
  const bool ahead = packed_ != nullptr;
  const std::int64_t panels_per_task = ahead ? kPanelsPerTask : kPanelsPerPackedTask;
  const std::int64_t rows_per_task = ahead ? kRowsPerTask : std::max<std::int64_t>(m, 1);
  const std::int64_t column_tasks = (num_panels() + panels_per_task - 1) / panels_per_task;
  const std::int64_t row_tasks = (m + rows_per_task - 1) / rows_per_task;
  const auto run = [&](std::size_t task) {
    const std::int64_t column_task = static_cast<std::int64_t>(task) % column_tasks;
    const std::int64_t row_task = static_cast<std::int64_t>(task) / column_tasks;
    run_task(job, {column_task * panels_per_task,
                   std::min(num_panels(), (column_task + 1) * panels_per_task),
                   row_task * rows_per_task, std::min(m, (row_task + 1) * rows_per_task)});
  };
  const auto num_tasks = static_cast<std::size_t>(column_tasks * row_tasks);
  if (m * view_.rows * view_.cols < kInlineProducts) {
    for (std::size_t task = 0; task < num_tasks; ++task) run(task);
  } else {
    pool.parallel_for(num_tasks, run);
  }
}

}  // namespace aitqe::kernels
