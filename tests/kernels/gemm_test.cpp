#include "aitqe/kernels/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::random_floats;

struct Shape {
  std::int64_t m, n, k;
};

std::vector<std::uint16_t> as_bf16(const std::vector<float>& values) {
  std::vector<std::uint16_t> halves(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &values[i], 4);
    halves[i] = static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16);
  }
  return halves;
}

float float_of_bf16(std::uint16_t half) {
  const std::uint32_t bits = std::uint32_t{half} << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

std::vector<float> multiply(const GemmWeight& weight, Compute compute, const std::vector<float>& x,
                            std::int64_t m, const float* bias, int num_threads) {
  ThreadPool pool(num_threads);
  const GemmRows rows(x.data(), m, weight.num_inputs(), compute, pool);
  std::vector<float> y(static_cast<std::size_t>(m * weight.num_outputs()), NAN);
  weight.multiply(rows, bias, y.data(), weight.num_outputs(), pool);
  return y;
}

constexpr Shape kShapes[] = {{1, 1, 1},    {1, 32, 256},   {3, 33, 257},  {12, 64, 255},
                             {13, 95, 70}, {50, 700, 513}, {200, 40, 600}};

TEST(GemmWeight, MultipliesLikeDoublePrecision) {
  ThreadPool pool(2);
  for (const Shape& s : kShapes) {
    const auto x = random_floats(s.m * s.k, 1);
    const auto w = random_floats(s.n * s.k, 2);
    const auto bias = random_floats(s.n, 3);
    const GemmWeight weight({w.data(), ScalarType::F32, s.n, s.k}, Compute::F32, Packing::Ahead,
                            nullptr, pool);
    const auto y = multiply(weight, Compute::F32, x, s.m, bias.data(), 2);
    for (std::int64_t m = 0; m < s.m; ++m) {
      for (std::int64_t n = 0; n < s.n; ++n) {
        double sum = bias[n];
        for (std::int64_t k = 0; k < s.k; ++k) sum += double{x[m * s.k + k]} * w[n * s.k + k];
        ASSERT_NEAR(y[m * s.n + n], sum, 2e-5) << s.m << " " << s.n << " " << s.k;
      }
    }
  }
}

TEST(GemmWeight, ComputesInBf16WithinTheRoundingOfTheRows) {
  ThreadPool pool(2);
  for (const Shape& s : kShapes) {
    const auto x = random_floats(s.m * s.k, 1);
    const auto w = as_bf16(random_floats(s.n * s.k, 2));
    const GemmWeight weight({w.data(), ScalarType::BF16, s.n, s.k}, Compute::BF16, Packing::Ahead,
                            nullptr, pool);
    const auto y = multiply(weight, Compute::BF16, x, s.m, nullptr, 2);
    const auto rounded = as_bf16(x);
    for (std::int64_t m = 0; m < s.m; ++m) {
      for (std::int64_t n = 0; n < s.n; ++n) {
        double sum = 0;
        for (std::int64_t k = 0; k < s.k; ++k) {
          sum += double{float_of_bf16(rounded[m * s.k + k])} * float_of_bf16(w[n * s.k + k]);
        }
        ASSERT_NEAR(y[m * s.n + n], sum, 3e-5);
      }
    }
  }
}

/// As `Compute::Int8` says, one number at a time: blocks of kDepthBlock, each with its own scale.
struct Quantized {
  std::vector<int> values;
  std::vector<float> scales;  // one a block
};

Quantized quantize(const float* row, std::int64_t count) {
  Quantized made;
  for (std::int64_t first = 0; first < count; first += kDepthBlock) {
    const std::int64_t end = std::min<std::int64_t>(count, first + kDepthBlock);
    float top = 0;
    for (std::int64_t k = first; k < end; ++k) top = std::max(top, std::abs(row[k]));
    made.scales.push_back(top / 127.0F);
    for (std::int64_t k = first; k < end; ++k) {
      made.values.push_back(
          top == 0.0F ? 0 : static_cast<int>(std::nearbyint(row[k] * (127.0F / top))));
    }
  }
  return made;
}

TEST(GemmWeight, ComputesInInt8WhatItsDefinitionSays) {
  ThreadPool pool(2);
  for (const Shape& s : kShapes) {
    auto x = random_floats(s.m * s.k, 1);
    std::fill(x.begin(), x.begin() + s.k, 0.0F);  // a row without a largest value
    const auto w = random_floats(s.n * s.k, 2);
    const auto bias = random_floats(s.n, 3);
    const GemmWeight weight({w.data(), ScalarType::F32, s.n, s.k}, Compute::Int8, Packing::Ahead,
                            nullptr, pool);
    const auto y = multiply(weight, Compute::Int8, x, s.m, bias.data(), 2);
    for (std::int64_t m = 0; m < s.m; ++m) {
      const Quantized row = quantize(x.data() + m * s.k, s.k);
      for (std::int64_t n = 0; n < s.n; ++n) {
        const Quantized column = quantize(w.data() + n * s.k, s.k);
        double sum = bias[n];
        for (std::int64_t k = 0; k < s.k; ++k) {
          const std::int64_t block = k / kDepthBlock;
          sum +=
              double{row.scales[block]} * column.scales[block] * row.values[k] * column.values[k];
        }
        ASSERT_NEAR(y[m * s.n + n], sum, 2e-5) << s.m << " " << s.n << " " << s.k;
      }
    }
  }
}

TEST(GemmWeight, ComputesInInt8NearTheProduct) {
  ThreadPool pool(2);
  const Shape s{50, 64, 1000};
  const auto x = random_floats(s.m * s.k, 1);
  const auto w = random_floats(s.n * s.k, 2);
  const auto multiplied_in = [&](Compute compute) {
    return multiply(
        GemmWeight({w.data(), ScalarType::F32, s.n, s.k}, compute, Packing::Ahead, nullptr, pool),
        compute, x, s.m, nullptr, 2);
  };
  const auto exact = multiplied_in(Compute::F32);
  const auto y = multiplied_in(Compute::Int8);
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    error += std::pow(y[i] - exact[i], 2);
    size += std::pow(exact[i], 2);
  }
  const double relative = std::sqrt(error / size);
  EXPECT_LT(relative, 0.01);
  EXPECT_GT(relative, 0.001);  // so it is int8
}

TEST(GemmWeight, GivesTheSameBitsForAnyBatchThreadsAndPacking) {
  ThreadPool pool(2);
  const Shape s{200, 700, 600};
  const auto x = random_floats(s.m * s.k, 1);
  const auto w = as_bf16(random_floats(s.n * s.k, 2));
  const auto bias = random_floats(s.n, 3);
  for (const Compute compute : {Compute::F32, Compute::BF16, Compute::Int8}) {
    const WeightView view{w.data(), ScalarType::BF16, s.n, s.k};
    const GemmWeight ahead(view, compute, Packing::Ahead, nullptr, pool);
    const GemmWeight on_the_fly(view, compute, Packing::OnTheFly, nullptr, pool);
    const auto whole = multiply(ahead, compute, x, s.m, bias.data(), 1);
    EXPECT_EQ(multiply(ahead, compute, x, s.m, bias.data(), 3), whole);
    EXPECT_EQ(multiply(on_the_fly, compute, x, s.m, bias.data(), 2), whole);
    for (const std::int64_t rows : {1, 5, 12, 17}) {
      for (const std::int64_t first : {std::int64_t{0}, std::int64_t{31}}) {
        const std::vector<float> part(x.begin() + first * s.k, x.begin() + (first + rows) * s.k);
        const std::vector<float> expected(whole.begin() + first * s.n,
                                          whole.begin() + (first + rows) * s.n);
        EXPECT_EQ(multiply(ahead, compute, part, rows, bias.data(), 2), expected);
      }
    }
  }
}

TEST(GemmWeight, KeepsNoPackedCopyOnTheFly) {
  ThreadPool pool(1);
  const auto w = random_floats(64 * 64, 2);
  const WeightView view{w.data(), ScalarType::F32, 64, 64};
  EXPECT_EQ(GemmWeight(view, Compute::F32, Packing::OnTheFly, nullptr, pool).packed_bytes(), 0);
  EXPECT_EQ(GemmWeight(view, Compute::F32, Packing::Ahead, nullptr, pool).packed_bytes(),
            64 * 64 * 4);
}

}  // namespace
}  // namespace aitqe::kernels
