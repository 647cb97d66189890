#pragma once

#include <algorithm>
#include <cstdint>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

/// Writes `count` values from the place `at` on of an array of that type: F32, or BF16, rounded.
inline void store(const float* values, std::int64_t count, void* array, ScalarType type,
                  std::int64_t at) {
  if (type == ScalarType::BF16) {
    cpu_kernels().to_bf16(values, count, static_cast<std::uint16_t*>(array) + at);
  } else {
    std::copy_n(values, count, static_cast<float*>(array) + at);
  }
}

/// y += x.
inline void add(const float* x, std::int64_t count, float* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += x[i];
}

}  // namespace aitqe::kernels
