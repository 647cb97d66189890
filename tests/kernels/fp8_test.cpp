#include "aitqe/kernels/fp8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bf16.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::bf16;

/// By the format's definition: bias 7, subnormal steps of 2^-9, 0x7f is NaN.
float decode(std::uint8_t bits) {
  const int exponent = bits >> 3 & 0xf;
  const int mantissa = bits & 0x7;
  const float size = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                   : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return bits & 0x80 ? -size : size;
}

/// The codes of one row that a 448 keeps unscaled.
std::vector<std::uint8_t> encode(std::vector<float> values) {
  values.push_back(448);
  std::vector<std::uint16_t> row;
  std::transform(values.begin(), values.end(), std::back_inserter(row), bf16);
  std::vector<std::uint8_t> codes(row.size());
  float scale = 0;
  to_fp8_on_cpu()({1, std::ssize(row), row.data(), codes.data(), &scale}, {});
  EXPECT_EQ(scale, 1);
  codes.pop_back();
  return codes;
}

TEST(ToFp8, KeepsEveryValueOfTheFormat) {
  for (int code = 0; code < 256; ++code) {
    const auto bits = static_cast<std::uint8_t>(code);
    if ((bits & 0x7f) == 0x7f) continue;  // NaN
    EXPECT_EQ(encode({decode(bits)}).front(), bits);
  }
}

TEST(ToFp8, RoundsHalfwayCasesToEvenAndOthersToTheNearest) {
  for (std::uint8_t bits = 0; bits < 0x7e; ++bits) {
    const float low = decode(bits);
    const float high = decode(static_cast<std::uint8_t>(bits + 1));
    const float middle = (low + high) / 2;
    const auto even = static_cast<std::uint8_t>(bits + (bits & 1));
    EXPECT_EQ(encode({middle}).front(), even) << middle;
    EXPECT_EQ(encode({-middle}).front(), even | 0x80) << middle;
    EXPECT_EQ(encode({low + (high - low) / 4}).front(), bits) << low;
    EXPECT_EQ(encode({high - (high - low) / 4}).front(), bits + 1) << high;
  }
}

TEST(ToFp8, ScalesEachRowByItsLargestValue) {
  const std::vector<std::uint16_t> rows{bf16(7), bf16(-14), bf16(0), bf16(0)};
  std::vector<std::uint8_t> codes(4);
  std::vector<float> scales(2);
  to_fp8_on_cpu()({2, 2, rows.data(), codes.data(), scales.data()}, {});
  EXPECT_EQ(scales[0], 14.0F / 448);
  EXPECT_EQ(decode(codes[0]), 224);
  EXPECT_EQ(decode(codes[1]), -448);
  EXPECT_GT(scales[1], 0);
  EXPECT_EQ(decode(codes[2]), 0);
}

TEST(ToFp8, KeepsANan) {
  EXPECT_EQ(encode({std::numeric_limits<float>::quiet_NaN()}).front() & 0x7f, 0x7f);
}

}  // namespace
}  // namespace aitqe::kernels
