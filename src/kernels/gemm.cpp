#include "aitqe/kernels/gemm.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/kernels/rows.h"
#include "packed_memory.h"
#include "store.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kPanelsPerTask = 8;  // 256 columns: a depth block of them fits in L2
constexpr std::int64_t kPanelsPerPackedTask = 4;
constexpr std::int64_t kRowsPerPackedTask = 1024;  // each packs its panels; their sums take 1 MB
constexpr std::int64_t kRowsPerTask = 192;
constexpr std::int64_t kRowUnit = 12;  // whole tiles of every instruction set
constexpr int kFewRows = 32;
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

void activate(Activation activation, float* values, std::int64_t count) {
  switch (activation) {
    case Activation::None:
      break;
    case Activation::GeluTanh:
      cpu_kernels().gelu_tanh(values, count);
      break;
    case Activation::GeluErf:
      gelu_erf(values, count);
      break;
    case Activation::Relu6:
      cpu_kernels().clamp(values, 0.0F, 6.0F, count);
      break;
  }
}

/// So many things in parts of nearly one size, so that threads end together.
struct Cut {
  /// @param most  in a part   @param multiple  that parts but the last are whole multiples of
  Cut(std::int64_t things, std::int64_t most, std::int64_t multiple)
      : count(things),
        unit(multiple),
        units(round_up(things, multiple) / multiple),
        parts(std::min(units, round_up(things, most) / most)) {}

  /// In more parts, where there is enough to cut.
  void cut_finer(std::int64_t wanted) { parts = std::max(parts, std::min(units, wanted)); }
  std::int64_t begin(std::int64_t part) const {
    return std::min(count, part * units / parts * unit);
  }

  std::int64_t count;
  std::int64_t unit;
  std::int64_t units;
  std::int64_t parts;
};

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

GemmRows GemmRows::of_bf16(const std::uint16_t* x, std::int64_t m, std::int64_t k) {
  assert(k % 2 == 0);
  return {m, k, Compute::BF16, reinterpret_cast<const std::uint32_t*>(x)};
}

/// A rectangle of the result that one thread makes.
struct GemmWeight::Task {
  std::int64_t first_panel;
  std::int64_t end_panel;
  std::int64_t first_row;
  std::int64_t end_row;

  std::int64_t num_rows() const { return end_row - first_row; }
  std::int64_t first_column() const { return first_panel * kPanelCols; }
  std::int64_t num_columns() const { return (end_panel - first_panel) * kPanelCols; }
  std::size_t num_sums() const { return static_cast<std::size_t>(num_rows() * num_columns()); }
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

void GemmWeight::sum(const GemmRows& x, const Task& task, float* sums, std::int64_t stride) const {
  const CpuKernels& kernels = cpu_kernels();
  const std::int64_t x_stride = row_words(compute_, view_.cols);
  const int rows = static_cast<int>(task.num_rows());
  const auto add_block = [&](std::int64_t panel, std::int64_t block) {
    const std::int64_t k0 = block * kDepthBlock;
    const int depth = static_cast<int>(std::min<std::int64_t>(kDepthBlock, view_.cols - k0));
    const int words = static_cast<int>(factor_words(compute_, depth));
    const std::uint32_t* from = x.words_ + task.first_row * x_stride + row_words(compute_, k0);
    const std::uint32_t* packed = packed_block(panel, k0, depth);
    float* to = sums + (panel - task.first_panel) * kPanelCols;
    if (compute_ == Compute::F32) {
      kernels.gemm_f32(reinterpret_cast<const float*>(from), x_stride,
                       reinterpret_cast<const float*>(packed), kPanelCols, rows, kPanelCols, words,
                       to, stride, k0 > 0);
    } else {
      const auto gemm = compute_ == Compute::BF16 ? kernels.gemm_bf16 : kernels.gemm_int8;
      gemm(from, x_stride, packed, kPanelCols, rows, kPanelCols, words, to, stride, k0 > 0);
    }
  };
  const std::int64_t blocks = num_blocks(view_.cols);
  // Few rows wait for the weights: these are read in the order they lie in. Many rows are read for
  // every panel: those of one depth stay in the cache.
  if (rows <= kFewRows) {
    for (std::int64_t panel = task.first_panel; panel < task.end_panel; ++panel) {
      for (std::int64_t block = 0; block < blocks; ++block) add_block(panel, block);
    }
  } else {
    for (std::int64_t block = 0; block < blocks; ++block) {
      for (std::int64_t panel = task.first_panel; panel < task.end_panel; ++panel) {
        add_block(panel, block);
      }
    }
  }
}

template <typename Run>
void GemmWeight::for_tasks(const GemmRows& x, ThreadPool& pool, const Run& run) const {
  assert(x.compute_ == compute_ && x.depth_ == view_.cols);
  const std::int64_t m = x.num_rows();
  // Packing on the fly is paid once per task: there a task takes many rows.
  const bool ahead = packed_ != nullptr;
  Cut columns(num_panels(), ahead ? kPanelsPerTask : kPanelsPerPackedTask, 1);
  const Cut rows(m, ahead ? kRowsPerTask : kRowsPerPackedTask, kRowUnit);
  const std::int64_t threads = pool.num_threads();
  // A few tasks of one size keep all threads busy to the end only where each gets as many.
  constexpr std::int64_t kManyTasksPerThread = 8;
  const bool is_uneven = (columns.parts * rows.parts) % threads != 0;
  if (ahead && is_uneven && columns.parts * rows.parts < kManyTasksPerThread * threads) {
    columns.cut_finer(round_up(columns.parts, threads / std::gcd(rows.parts, threads)));
  }
  const auto run_one = [&](std::size_t task) {
    const std::int64_t column = static_cast<std::int64_t>(task) % columns.parts;
    const std::int64_t row = static_cast<std::int64_t>(task) / columns.parts;
    run(Task{columns.begin(column), columns.begin(column + 1), rows.begin(row),
             rows.begin(row + 1)});
  };
  const auto num_tasks = static_cast<std::size_t>(columns.parts * rows.parts);
  if (m * view_.rows * view_.cols < kInlineProducts) {
    for (std::size_t task = 0; task < num_tasks; ++task) run_one(task);
  } else {
    pool.parallel_for(num_tasks, run_one);
  }
}

void GemmWeight::multiply(const GemmRows& x, const float* bias, Activation activation,
                          const GemmResult& y, ThreadPool& pool) const {
  for_tasks(x, pool, [&](const Task& task) {
    thread_local std::vector<float> space;
    const std::int64_t count =
        std::min(view_.rows, task.end_panel * kPanelCols) - task.first_column();
    // Summed in y itself where it can hold the sums: f32, and no panel hangs over its last column.
    const bool in_place = y.type == ScalarType::F32 && count == task.num_columns();
    if (!in_place) space.resize(std::max(space.size(), task.num_sums()));
    float* const sums =
        in_place ? static_cast<float*>(y.data) + task.first_row * y.row_stride + task.first_column()
                 : space.data();
    const std::int64_t stride = in_place ? y.row_stride : task.num_columns();
    sum(x, task, sums, stride);
    for (std::int64_t row = 0; row < task.num_rows(); ++row) {
      float* values = sums + row * stride;
      if (bias != nullptr) add(bias + task.first_column(), count, values);
      activate(activation, values, count);
      if (in_place) continue;
      store(values, count, y.data, y.type,
            (task.first_row + row) * y.row_stride + task.first_column());
    }
  });
}

void GemmWeight::multiply_gated(const GemmRows& x, const GemmWeight& gate, const GemmWeight& up,
                                const GemmResult& y, ThreadPool& pool) {
  assert(gate.num_outputs() == up.num_outputs() && gate.num_inputs() == up.num_inputs());
  assert(gate.compute_ == up.compute_ && (gate.packed_ != nullptr) == (up.packed_ != nullptr));
  gate.for_tasks(x, pool, [&](const Task& task) {
    thread_local std::vector<float> sums;
    sums.resize(std::max(sums.size(), 2 * task.num_sums()));
    float* const gates = sums.data();
    float* const ups = gates + task.num_sums();
    gate.sum(x, task, gates, task.num_columns());
    up.sum(x, task, ups, task.num_columns());
    const std::int64_t count =
        std::min(gate.view_.rows, task.end_panel * kPanelCols) - task.first_column();
    for (std::int64_t row = 0; row < task.num_rows(); ++row) {
      float* values = gates + row * task.num_columns();
      cpu_kernels().silu_mul(values, ups + row * task.num_columns(), count, values);
      store(values, count, y.data, y.type,
            (task.first_row + row) * y.row_stride + task.first_column());
    }
  });
}

}  // namespace aitqe::kernels
