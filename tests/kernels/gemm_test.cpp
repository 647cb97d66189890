#include "aitqe/kernels/gemm.h"

#include <gtest/gtest.h>

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

std::vector<float> multiply(const GemmWeight& weight, const std::vector<float>& x, std::int64_t m,
                            const float* bias, int num_threads) {
  ThreadPool pool(num_threads);
  std::vector<float> y(static_cast<std::size_t>(m * weight.num_outputs()), NAN);
  weight.multiply(x.data(), m, bias, y.data(), weight.num_outputs(), pool);
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
    const auto y = multiply(weight, x, s.m, bias.data(), 2);
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
    const auto y = multiply(weight, x, s.m, nullptr, 2);
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

TEST(GemmWeight, GivesTheSameBitsForAnyBatchThreadsAndPacking) {
  ThreadPool pool(2);
  const Shape s{200, 700, 600};
  const auto x = random_floats(s.m * s.k, 1);
  const auto w = as_bf16(random_floats(s.n * s.k, 2));
  const auto bias = random_floats(s.n, 3);
  for (const Compute compute : {Compute::F32, Compute::BF16}) {
    const WeightView view{w.data(), ScalarType::BF16, s.n, s.k};
    const GemmWeight ahead(view, compute, Packing::Ahead, nullptr, pool);
    const GemmWeight on_the_fly(view, compute, Packing::OnTheFly, nullptr, pool);
    const auto whole = multiply(ahead, x, s.m, bias.data(), 1);
    EXPECT_EQ(multiply(ahead, x, s.m, bias.data(), 3), whole);
    EXPECT_EQ(multiply(on_the_fly, x, s.m, bias.data(), 2), whole);
    for (const std::int64_t rows : {1, 5, 12, 17}) {
      for (const std::int64_t first : {std::int64_t{0}, std::int64_t{31}}) {
        const std::vector<float> part(x.begin() + first * s.k, x.begin() + (first + rows) * s.k);
        const std::vector<float> expected(whole.begin() + first * s.n,
                                          whole.begin() + (first + rows) * s.n);
        EXPECT_EQ(multiply(ahead, part, rows, bias.data(), 2), expected);
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
