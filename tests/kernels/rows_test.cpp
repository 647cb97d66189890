#include "aitqe/kernels/rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::random_floats;

constexpr std::int64_t kRows = 5;

class Rows : public ::testing::TestWithParam<std::int64_t> {
 protected:
  ThreadPool pool_{2};
  std::int64_t n_ = GetParam();
  std::vector<float> x_ = random_floats(kRows * n_, 1);
  std::vector<float> weight_ = random_floats(n_, 2);
  std::vector<float> bias_ = random_floats(n_, 3);
  std::vector<float> y_ = std::vector<float>(kRows * n_);
};

TEST_P(Rows, RmsNorm) {
  rms_norm_rows(x_.data(), weight_.data(), 1e-6F, kRows, n_, y_.data(), pool_);
  for (std::int64_t r = 0; r < kRows; ++r) {
    double squares = 0;
    for (std::int64_t i = 0; i < n_; ++i) squares += double{x_[r * n_ + i]} * x_[r * n_ + i];
    for (std::int64_t i = 0; i < n_; ++i) {
      EXPECT_NEAR(y_[r * n_ + i], x_[r * n_ + i] / std::sqrt(squares / n_ + 1e-6) * weight_[i],
                  2e-6);
    }
  }
}

TEST_P(Rows, LayerNorm) {
  for (float& value : x_) value += 3.0F;
  layer_norm_rows(x_.data(), weight_.data(), bias_.data(), 1e-6F, kRows, n_, y_.data(), pool_);
  for (std::int64_t r = 0; r < kRows; ++r) {
    double mean = 0;
    double variance = 0;
    for (std::int64_t i = 0; i < n_; ++i) mean += x_[r * n_ + i] / double(n_);
    for (std::int64_t i = 0; i < n_; ++i) {
      variance += std::pow(x_[r * n_ + i] - mean, 2) / double(n_);
    }
    for (std::int64_t i = 0; i < n_; ++i) {
      EXPECT_NEAR(y_[r * n_ + i],
                  (x_[r * n_ + i] - mean) / std::sqrt(variance + 1e-6) * weight_[i] + bias_[i],
                  n_ == 1 ? 1e-3 : 1e-5);
    }
  }
}

TEST_P(Rows, SiluMul) {
  const auto gate_up = random_floats(kRows * 2 * n_, 9);
  silu_mul_rows(gate_up.data(), kRows, n_, y_.data(), pool_);
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t i = 0; i < n_; ++i) {
      const double gate = gate_up[r * 2 * n_ + i];
      EXPECT_NEAR(y_[r * n_ + i], gate / (1 + std::exp(-gate)) * gate_up[r * 2 * n_ + n_ + i],
                  1e-6);
    }
  }
}

TEST_P(Rows, Gelu) {
  for (float& value : x_) value *= 12.0F;
  auto exact = x_;
  auto approximate = x_;
  gelu_erf_rows(exact.data(), kRows, n_, pool_);
  gelu_tanh_rows(approximate.data(), kRows, n_, pool_);
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const double x = x_[i];
    EXPECT_NEAR(exact[i], 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 2e-6);
    const double u = std::sqrt(2.0 / M_PI) * (x + 0.044715 * x * x * x);
    EXPECT_NEAR(approximate[i], 0.5 * x * (1 + std::tanh(u)), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, Rows, ::testing::Values(1, 15, 16, 17, 72, 576));

}  // namespace
}  // namespace aitqe::kernels
