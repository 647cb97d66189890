#include "aitqe/kernels/rows.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bf16.h"
#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::random_floats;

constexpr std::int64_t kRows = 5;

using NormFunction = void (*)(const ResidualNorm&, ThreadPool&);

class Rows : public ::testing::TestWithParam<std::int64_t> {
 protected:
  ResidualNorm job() {
    return {kRows, n_, x_.data(), nullptr, weight_.data(), bias_.data(), 1e-6F, y_.data()};
  }

  ThreadPool pool_{2};
  std::int64_t n_ = GetParam();
  std::vector<float> x_ = random_floats(kRows * n_, 1);
  std::vector<float> weight_ = random_floats(n_, 2);
  std::vector<float> bias_ = random_floats(n_, 3);
  std::vector<float> y_ = std::vector<float>(kRows * n_);
};

TEST_P(Rows, RmsNorm) {
  add_rms_norm_rows(job(), pool_);
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
  add_layer_norm_rows(job(), pool_);
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

TEST_P(Rows, NormsAddTheUpdateFirstAndRoundToBf16) {
  const auto update = random_floats(kRows * n_, 4);
  std::vector<float> sums = x_;
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += update[i];
  for (const NormFunction norm : {&add_rms_norm_rows, &add_layer_norm_rows}) {
    auto alone = sums;
    ResidualNorm of_sums = job();
    of_sums.hidden = alone.data();
    norm(of_sums, pool_);
    EXPECT_EQ(alone, sums);

    auto hidden = x_;
    std::vector<std::uint16_t> halves(sums.size());
    ResidualNorm with_update = job();
    with_update.hidden = hidden.data();
    with_update.update = update.data();
    with_update.y = halves.data();
    with_update.y_type = ScalarType::BF16;
    norm(with_update, pool_);
    EXPECT_EQ(hidden, sums);
    EXPECT_EQ(halves, aitqe::test::as_bf16(y_));
  }
}

TEST_P(Rows, GeluErf) {
  for (float& value : x_) value *= 12.0F;
  auto y = x_;
  gelu_erf(y.data(), std::ssize(y));
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const double x = x_[i];
    EXPECT_NEAR(y[i], 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, Rows, ::testing::Values(1, 15, 16, 17, 72, 576));

}  // namespace
}  // namespace aitqe::kernels
