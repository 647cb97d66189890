#include "aitqe/report/estimate.h"

#include <gtest/gtest.h>

#include <random>

namespace aitqe {
namespace {

constexpr std::int64_t kEndless = std::int64_t{1} << 60;

// Expected: Wilson's formula, worked out in Python.
TEST(EstimateShare, IsWilsonsIntervalForAnEndlessWhole) {
  const ShareEstimate tenth = estimate_share(10, 100, kEndless);
  EXPECT_DOUBLE_EQ(tenth.share, 0.1);
  EXPECT_NEAR(tenth.low, 0.055229, 1e-6);
  EXPECT_NEAR(tenth.high, 0.174366, 1e-6);
  const ShareEstimate none = estimate_share(0, 20, kEndless);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(estimate_share(21, 21, 80).high, 1);
  EXPECT_NEAR(none.high, 0.161125, 1e-6);
}

TEST(EstimateShare, HasNoWidthOnceAllAreDrawn) {
  const ShareEstimate all = estimate_share(3, 10, 10);
  EXPECT_DOUBLE_EQ(all.low, 0.3);
  EXPECT_DOUBLE_EQ(all.high, 0.3);
  const ShareEstimate most = estimate_share(3, 9, 10);
  EXPECT_LT(most.high - most.low, 0.3);
}

TEST(EstimateShare, OfNothingTellsNothing) {
  EXPECT_DOUBLE_EQ(estimate_share(0, 0, 10).low, 0);
  EXPECT_DOUBLE_EQ(estimate_share(0, 0, 10).high, 1);
}

TEST(EstimateShare, HoldsTheTruthAsOftenAsItSays) {
  constexpr int kWhole = 2'000;
  constexpr int kHits = 240;
  constexpr int kTrials = 2'000;
  std::mt19937 random(7);
  int held = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::int64_t drawn = 0;
    std::int64_t hits = 0;
    for (int i = 0; i < kWhole; ++i) {
      if (random() % 10 != 0) continue;
      ++drawn;
      if (i < kHits) ++hits;
    }
    const ShareEstimate found = estimate_share(hits, drawn, kWhole);
    const double truth = double{kHits} / kWhole;
    if (found.low <= truth && truth <= found.high) ++held;
  }
  EXPECT_NEAR(static_cast<double>(held) / kTrials, 0.95, 0.02);
}

}  // namespace
}  // namespace aitqe
