#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "aitqe/base/thread_pool.h"
#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

// Note [Same bits at any batch]
// An output element is the sum of its products in one order that depends on the depth K alone:
// kDepthBlock products one after the other by fused multiply-add from zero (whole numbers: in any
// order, for they are exact), then the block sums one after the other. Rows that share the call,
// the cut into tiles, the number of threads and whether the weight was packed ahead change nothing.
// So a pair's answer does not depend on who shares its batch, and a restarted run repeats its
// bytes. Library GEMMs choose the order by shape.

/// A weight as it lies in a checkpoint: [rows = outputs, cols = inputs], row-major.
struct WeightView {
  const void* data = nullptr;
  ScalarType type = ScalarType::F32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
};

/// In what the products are formed.
enum class Compute {
  F32,   ///< sums in f32
  BF16,  ///< both factors rounded; sums in f32
  /// Both factors as whole numbers of 8 bits, scaled by the largest of kDepthBlock neighbours along
  /// the depth; sums of a block in whole numbers, so exact, and of the blocks in f32. An
  /// approximation: less than 1 % of a result of random factors (gemm_test).
  Int8,
};

/// Ahead: a packed copy is made once (fastest). OnTheFly: panels are packed as they are used, for
/// weights that fill the memory.
enum class Packing { Ahead, OnTheFly };

/// Rows as GemmWeights multiply them, converted once for all that do.
class GemmRows {
 public:
  /// @param x  [m, k] f32, contiguous; with Compute::F32 it has to outlive this
  GemmRows(const float* x, std::int64_t m, std::int64_t k, Compute compute, ThreadPool& pool);
  /// Rows that are bf16 already, for Compute::BF16.
  /// @param x  [m, k], contiguous, k even; has to outlive this
  static GemmRows of_bf16(const std::uint16_t* x, std::int64_t m, std::int64_t k);

  std::int64_t num_rows() const { return num_rows_; }

 private:
  friend class GemmWeight;
  GemmRows(std::int64_t m, std::int64_t k, Compute compute, const std::uint32_t* words)
      : num_rows_(m), depth_(k), compute_(compute), words_(words) {}

  std::int64_t num_rows_;
  std::int64_t depth_;
  Compute compute_;
  std::unique_ptr<std::uint32_t[]> converted_;  // null: x itself
  const std::uint32_t* words_;
};

/// What becomes of a sum, bias and all, on its way into y.
enum class Activation { None, GeluTanh, GeluErf, Relu6 };

/// Where results go.
struct GemmResult {
  void* data = nullptr;               ///< [m, num_outputs]
  ScalarType type = ScalarType::F32;  ///< F32, or BF16: rounded to nearest even
  std::int64_t row_stride = 0;        ///< in values: several weights may fill one matrix
};

/// One weight ready to be multiplied with. Immutable; safe to call from many threads, each with a
/// pool of its own.
class GemmWeight {
 public:
  /// @param keep_alive  owns the bytes of `view` (a mapped file); dropped when packed ahead.
  GemmWeight(WeightView view, Compute compute, Packing packing,
             std::shared_ptr<const void> keep_alive, ThreadPool& pool);

  std::int64_t num_inputs() const { return view_.cols; }
  std::int64_t num_outputs() const { return view_.rows; }
  /// Bytes of the packed copy; 0 when packed on the fly.
  std::size_t packed_bytes() const;

  /// y[m, n] = activation(sum over k of x[m, k] w[n, k] (+ bias[n])).
  /// @param x  [m, num_inputs]  @pre made for this weight's Compute
  /// @param bias  [num_outputs] or null
  void multiply(const GemmRows& x, const float* bias, Activation activation, const GemmResult& y,
                ThreadPool& pool) const;
  /// y = silu(x gate^T) * (x up^T), without bias.
  /// @pre gate and up have the same shape, Compute and packing
  static void multiply_gated(const GemmRows& x, const GemmWeight& gate, const GemmWeight& up,
                             const GemmResult& y, ThreadPool& pool);

 private:
  struct Task;
  /// Calls run(task) for rectangles that together cover the result.
  template <typename Run>
  void for_tasks(const GemmRows& x, ThreadPool& pool, const Run& run) const;
  /// @param sums  [rows of the task, columns of its panels], rows `stride` apart
  void sum(const GemmRows& x, const Task& task, float* sums, std::int64_t stride) const;
  /// Valid until the thread asks for the next one.
  const std::uint32_t* packed_block(std::int64_t panel, std::int64_t k0, int depth) const;
  void pack_panel(std::int64_t panel, std::int64_t k0, int depth, std::uint32_t* to) const;
  std::int64_t num_panels() const { return round_up(view_.rows, kPanelCols) / kPanelCols; }
  std::int64_t words_per_panel() const;
  std::size_t packed_words() const;

  WeightView view_;
  Compute compute_;
  std::shared_ptr<const void> keep_alive_;
  /// [panels, words of the depth, kPanelCols]; null when packed on the fly
  std::shared_ptr<std::uint32_t[]> packed_;
};

}  // namespace aitqe::kernels
