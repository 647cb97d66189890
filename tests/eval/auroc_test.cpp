#include "aitqe/eval/auroc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {
namespace {

using Values = std::vector<double>;

TEST(Auroc, CountsPairsInTheRightOrderAndTiesHalf) {
  EXPECT_DOUBLE_EQ(auroc(Values{3, 4}, Values{1, 2}), 1.0);
  EXPECT_DOUBLE_EQ(auroc(Values{1, 2}, Values{3, 4}), 0.0);
  EXPECT_DOUBLE_EQ(auroc(Values{1, 3}, Values{2}), 0.5);
  EXPECT_DOUBLE_EQ(auroc(Values{2, 2}, Values{2, 1}), 0.75);
  EXPECT_TRUE(std::isnan(auroc(Values{}, Values{1})));
}

TEST(Auroc, IsWhatCountingEveryPairGives) {
  Random random(1);
  Values high;
  Values low;
  for (int i = 0; i < 60; ++i) high.push_back(static_cast<double>(random.between(0, 20)));
  for (int i = 0; i < 45; ++i) low.push_back(static_cast<double>(random.between(0, 15)));
  double wins = 0;
  for (const double a : high) {
    for (const double b : low) wins += a > b ? 1 : a == b ? 0.5 : 0;
  }
  EXPECT_DOUBLE_EQ(auroc(high, low), wins / (60 * 45));
}

TEST(Estimate, IntervalHoldsTheValueAndNarrowsWithMoreImages) {
  const auto width = [](int images) {
    Random random(7);
    std::vector<ScorePair> pairs;
    for (int i = 0; i < images; ++i) pairs.push_back({random.unit() + 0.3, random.unit()});
    const Estimate estimate = estimate_auroc(pairs, 1);
    EXPECT_LE(estimate.low, estimate.value);
    EXPECT_GE(estimate.high, estimate.value);
    return estimate.high - estimate.low;
  };
  EXPECT_GT(width(50), 2 * width(800));
}

TEST(Estimate, OfTwoListsDrawsEachOnItsOwn) {
  const Values good = {3, 4, 5, 1};
  const Values bad = {2, 2, 6, 0, 1, 3, 2};
  const Estimate estimate = estimate_auroc(good, bad, 1);
  EXPECT_DOUBLE_EQ(estimate.value, auroc(good, bad));
  EXPECT_LT(estimate.low, estimate.value);
  EXPECT_GT(estimate.high, estimate.value);
}

TEST(Estimate, OfNothingIsNoNumber) {
  EXPECT_TRUE(std::isnan(estimate_auroc(std::vector<ScorePair>{}, 1).value));
  EXPECT_TRUE(std::isnan(estimate_auroc(Values{}, Values{1}, 1).low));
  EXPECT_TRUE(std::isnan(estimate_share({}, 1).high));
}

TEST(Estimate, IsTheSameForTheSameSeed) {
  const std::vector<char> values = {1, 0, 1, 1, 0, 1, 0, 1};
  const Estimate one = estimate_share(values, 3);
  const Estimate two = estimate_share(values, 3);
  EXPECT_DOUBLE_EQ(one.value, 5.0 / 8);
  EXPECT_EQ(one.low, two.low);
  EXPECT_EQ(one.high, two.high);
}

}  // namespace
}  // namespace aitqe
