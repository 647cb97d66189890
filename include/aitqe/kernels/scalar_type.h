#pragma once

#include <cstddef>
#include <cstdint>

namespace aitqe::kernels {

/// How one stored number is laid out, little-endian.
enum class ScalarType { F32, BF16, F16 };

constexpr std::size_t size_bytes(ScalarType type) { return type == ScalarType::F32 ? 4 : 2; }

/// Widths that every kernel agrees on. They fix the order of additions, so changing one changes the
/// last bits of every result: see Note [Same bits at any batch] in gemm.h.
inline constexpr int kLanes = 16;        ///< floats handled together in row kernels
inline constexpr int kPanelCols = 32;    ///< output columns of one packed panel
inline constexpr int kDepthBlock = 256;  ///< products added before the partial sum is put away

constexpr std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace aitqe::kernels
