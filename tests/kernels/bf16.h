#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace aitqe::test {

/// The bits of a number that bf16 holds exactly.
inline std::uint16_t bf16(float exact) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(exact) >> 16);
}

/// Rounded to nearest even; no NaN.
inline std::vector<std::uint16_t> as_bf16(const std::vector<float>& values) {
  std::vector<std::uint16_t> halves(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    halves[i] = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
  }
  return halves;
}

}  // namespace aitqe::test
