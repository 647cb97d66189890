#pragma once

#include <cstdint>

#include "aitqe/kernels/fused.h"

namespace aitqe::kernels {

/// Rows of bf16 as e4m3 (4 bits of exponent, 3 of mantissa, no infinities), each scaled so that its
/// largest value fills the range: values[r, i] * scales[r] is about x[r, i]. Rounded to nearest,
/// halfway cases to even, as c10::Float8_e4m3fn. A row of zeros has a tiny scale; a NaN stays one.
struct ToFp8 {
  std::int64_t rows = 0;
  std::int64_t n = 0;
  const void* x = nullptr;         ///< [rows, n] bf16
  std::uint8_t* values = nullptr;  ///< [rows, n] e4m3
  float* scales = nullptr;         ///< [rows]
};

/// Memory and errors as of FusedKernels. Reentrant.
using ToFp8Kernel = void (*)(const ToFp8& work, Queue queue);

/// For the CPU: what tests compare with.
ToFp8Kernel to_fp8_on_cpu();
/// For NVIDIA GPUs; null where the build had no nvcc.
ToFp8Kernel to_fp8_on_cuda();

}  // namespace aitqe::kernels
