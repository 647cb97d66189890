#pragma once

#include <bit>
#include <cstdint>

namespace aitqe::kernels::test {

/// The bits of a number that bf16 holds exactly.
inline std::uint16_t bf16(float exact) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(exact) >> 16);
}

}  // namespace aitqe::kernels::test
