#include "aitqe/kernels/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "bf16.h"
#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::as_bf16;
using aitqe::test::random_floats;

struct Shape {
  std::int64_t m, n, k;
};

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
  weight.multiply(rows, bias, Activation::None, {y.data(), ScalarType::F32, weight.num_outputs()},
                  pool);
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

/// A weight of a test, and rows to multiply with it.
struct Product {
  ThreadPool pool{2};
  Shape s{50, 700, 514};
  std::vector<float> x = random_floats(s.m * s.k, 1);
  std::vector<float> w = random_floats(s.n * s.k, 2);
  std::vector<float> bias = random_floats(s.n, 3);

  GemmWeight weight(Compute compute, Packing packing = Packing::Ahead) {
    return {{w.data(), ScalarType::F32, s.n, s.k}, compute, packing, nullptr, pool};
  }
};

TEST(GemmWeight, AppliesTheActivationToTheSumWithItsBias) {
  for (const Compute compute : {Compute::F32, Compute::BF16, Compute::Int8}) {
    Product p;
    p.bias[0] = 9;
    const auto sums = multiply(p.weight(compute), compute, p.x, p.s.m, p.bias.data(), 2);
    const GemmRows rows(p.x.data(), p.s.m, p.s.k, compute, p.pool);
    const auto activated = [&](Activation activation) {
      std::vector<float> y(sums.size(), NAN);
      p.weight(compute).multiply(rows, p.bias.data(), activation,
                                 {y.data(), ScalarType::F32, p.s.n}, p.pool);
      return y;
    };
    const auto tanh = activated(Activation::GeluTanh);
    const auto erf = activated(Activation::GeluErf);
    const auto relu6 = activated(Activation::Relu6);
    EXPECT_EQ(relu6[0], 6);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const double x = sums[i];
      const double u = std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x);
      ASSERT_NEAR(tanh[i], 0.5 * x * (1 + std::tanh(u)), 2e-6 * (1 + std::abs(x)));
      ASSERT_EQ(relu6[i], std::clamp(sums[i], 0.0F, 6.0F));
      ASSERT_NEAR(erf[i], 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 2e-6 * (1 + std::abs(x)));
    }
  }
}

TEST(GemmWeight, MultipliesByItsGate) {
  for (const Compute compute : {Compute::F32, Compute::BF16, Compute::Int8}) {
    for (const Packing packing : {Packing::Ahead, Packing::OnTheFly}) {
      Product gate;
      Product up;
      up.w = random_floats(up.s.n * up.s.k, 9);
      const auto gates = multiply(gate.weight(compute), compute, gate.x, gate.s.m, nullptr, 2);
      const auto ups = multiply(up.weight(compute), compute, gate.x, gate.s.m, nullptr, 2);
      const GemmRows rows(gate.x.data(), gate.s.m, gate.s.k, compute, gate.pool);
      std::vector<float> y(gates.size(), NAN);
      GemmWeight::multiply_gated(rows, gate.weight(compute, packing), up.weight(compute, packing),
                                 {y.data(), ScalarType::F32, gate.s.n}, gate.pool);
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double g = gates[i];
        ASSERT_NEAR(y[i], g / (1 + std::exp(-g)) * ups[i], 2e-6 * (1 + std::abs(g * ups[i])));
      }
    }
  }
}

TEST(GemmWeight, WritesBf16RoundedToNearest) {
  Product p;
  const auto sums = multiply(p.weight(Compute::BF16), Compute::BF16, p.x, p.s.m, p.bias.data(), 2);
  const GemmRows rows(p.x.data(), p.s.m, p.s.k, Compute::BF16, p.pool);
  const std::int64_t stride = p.s.n + 3;  // of a matrix that others fill too
  std::vector<std::uint16_t> y(static_cast<std::size_t>(p.s.m * stride), 7);
  p.weight(Compute::BF16)
      .multiply(rows, p.bias.data(), Activation::None, {y.data(), ScalarType::BF16, stride},
                p.pool);
  const auto expected = as_bf16(sums);
  for (std::int64_t m = 0; m < p.s.m; ++m) {
    for (std::int64_t n = 0; n < stride; ++n) {
      ASSERT_EQ(y[m * stride + n], n < p.s.n ? expected[m * p.s.n + n] : 7);
    }
  }
}

TEST(GemmRows, TakesRowsThatAreBf16Already) {
  Product p;
  const auto halves = as_bf16(p.x);
  const GemmRows rows = GemmRows::of_bf16(halves.data(), p.s.m, p.s.k);
  std::vector<float> y(static_cast<std::size_t>(p.s.m * p.s.n), NAN);
  p.weight(Compute::BF16)
      .multiply(rows, nullptr, Activation::None, {y.data(), ScalarType::F32, p.s.n}, p.pool);
  EXPECT_EQ(y, multiply(p.weight(Compute::BF16), Compute::BF16, p.x, p.s.m, nullptr, 1));
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
