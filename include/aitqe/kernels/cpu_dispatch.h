#pragma once

#include <cstdint>

#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

/// The inner loops that exist once per instruction set. All f32 functions give the same bits on
/// every instruction set (explicit fused multiply-adds, fixed lanes, own exp). The table is picked
/// once, by what the CPU has; every function is reentrant.
struct CpuKernels {
  const char* name;      ///< "avx512_bf16", "avx512" or "avx2"
  bool has_native_bf16;  ///< bf16 products run at twice the f32 rate

  /// c[m, n] (+)= sum over k of a[m, k] b[k, n], for `cols` a multiple of kLanes.
  /// `depth` is at most kDepthBlock. @param a  [rows, lda]  @param b  [depth, ldb]
  void (*gemm_f32)(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, int rows,
                   int cols, int depth, float* c, std::int64_t ldc, bool accumulate);
  /// The same over pairs of bf16: a [rows, lda] and b [depth_pairs, ldb] hold two depths a word.
  void (*gemm_bf16)(const std::uint32_t* a, std::int64_t lda, const std::uint32_t* b,
                    std::int64_t ldb, int rows, int cols, int depth_pairs, float* c,
                    std::int64_t ldc, bool accumulate);
  /// The same in whole numbers of 8 bits, four depths a word, scaled as `to_int8` and `pack_int8`
  /// tell: a [rows, lda], b [2 + ceil(depth / 4), ldb].
  void (*gemm_int8)(const std::uint32_t* a, std::int64_t lda, const std::uint32_t* b,
                    std::int64_t ldb, int rows, int cols, int depth_quads, float* c,
                    std::int64_t ldc, bool accumulate);
  /// Transposes `cols` <= kPanelCols rows of a weight [N, K] into a panel [depth, kPanelCols].
  /// @param weight  first element of row n0, column k0; `row_stride` in elements.
  void (*pack_f32)(const void* weight, ScalarType type, std::int64_t row_stride, int cols,
                   int depth, float* panel);
  /// The same into words of two bf16, [ceil(depth / 2), kPanelCols]; an odd last depth is zero.
  void (*pack_bf16)(const void* weight, ScalarType type, std::int64_t row_stride, int cols,
                    int depth, std::uint32_t* panel);
  /// The same into [2 + ceil(depth / 4), kPanelCols]: the scale of each column's block, -128 times
  /// the sum of its numbers (what the 128 of `to_int8` adds too much), then words of four signed
  /// bytes; depths past the last are zero.
  void (*pack_int8)(const void* weight, ScalarType type, std::int64_t row_stride, int cols,
                    int depth, std::uint32_t* panel);
  /// A block of `count` <= kDepthBlock floats as 1 + ceil(count / 4) words: their scale, the
  /// largest magnitude / 127, then four bytes a word: 128 + the value / scale, to nearest even.
  void (*to_int8)(const float* from, int count, std::uint32_t* words);
  /// Rounds `count` floats to bf16, to nearest even. Subnormal numbers may become zero: native
  /// products take them for zero in any case.
  void (*to_bf16)(const float* from, std::int64_t count, std::uint16_t* to);
  void (*to_f32)(const void* from, ScalarType type, std::int64_t count, float* to);

  /// y = x / sqrt(mean(x^2) + eps) * weight.
  void (*rms_norm)(const float* x, const float* weight, float eps, std::int64_t n, float* y);
  /// y = (x - mean) / sqrt(variance + eps) * weight + bias.
  void (*layer_norm)(const float* x, const float* weight, const float* bias, float eps,
                     std::int64_t n, float* y);
  /// y = gate / (1 + exp(-gate)) * up.
  void (*silu_mul)(const float* gate, const float* up, std::int64_t n, float* y);
  /// In place: 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
  void (*gelu_tanh)(float* x, std::int64_t n);
  /// In place: exp(scale x - max) / sum over the first `valid` of `padded` values; 0 after them.
  void (*softmax)(float* x, float scale, std::int64_t valid, std::int64_t padded);
  /// Rotates one head in halves: (x1, x2) -> (x1 cos - x2 sin, x2 cos + x1 sin).
  void (*rope)(float* head, const float* cos, const float* sin, std::int64_t half);
  /// y += x * w, fused.
  void (*multiply_add)(const float* x, const float* w, std::int64_t n, float* y);
  /// In place: min(max(x, low), high).
  void (*clamp)(float* x, float low, float high, std::int64_t n);
};

/// The best table for this CPU. Only where `cpu_is_supported()`: `load_model` refuses other CPUs.
const CpuKernels& cpu_kernels();

/// True when this CPU has what the slowest table needs (AVX2, FMA, F16C).
bool cpu_is_supported();

/// The tables this CPU can run, best first; tests compare them.
struct CpuKernelList {
  const CpuKernels* tables[3];
  int count;
};
CpuKernelList runnable_cpu_kernels();

}  // namespace aitqe::kernels
