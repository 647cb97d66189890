#pragma once

#include <bit>
#include <cstdint>

#include "arithmetic.h"

namespace aitqe::kernels::fused {

inline constexpr float kLargestFp8 = 448;
/// Keeps the scale of a row of zeros above zero.
inline constexpr float kSmallestRow = 1e-12F;

constexpr float scale_of_row(float largest) {
  return (largest > kSmallestRow ? largest : kSmallestRow) / kLargestFp8;
}

/// x as e4m3; beyond the range the largest there is.
constexpr std::uint8_t narrow_to_fp8(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto sign = static_cast<std::uint8_t>(bits >> 24 & 0x80);
  const float size = std::bit_cast<float>(bits & 0x7fffffff);
  if (size != size) return 0x7f;
  if (size >= kLargestFp8) return sign | 0x7e;
  constexpr float kSmallestNormal = 0.015625F;
  if (size < kSmallestNormal) {
    // Steps of 2^-9: adding 2^23 rounds to whole ones, whose number is then in the lowest bits.
    const float steps = size * 512 + 8388608;
    return sign | static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(steps) & 0xf);
  }
  const std::uint32_t magnitude = bits & 0x7fffffff;
  const std::uint32_t rounded = (magnitude + 0x7ffff + (magnitude >> 20 & 1)) >> 20;
  constexpr std::uint32_t kBiases = (127 - 7) << 3;  // of f32's exponent and of e4m3's
  return sign | static_cast<std::uint8_t>(rounded - kBiases);
}

}  // namespace aitqe::kernels::fused
