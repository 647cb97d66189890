#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace aitqe::test {

/// Values spread evenly over [-1, 1), the same on every run.
inline std::vector<float> random_floats(std::size_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(static_cast<std::int32_t>(generator())) / 2147483648.0F;
  }
  return values;
}

}  // namespace aitqe::test
