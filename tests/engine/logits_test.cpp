#include "aitqe/engine/logits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aitqe {
namespace {

TEST(Logits, ArgmaxTakesTheLowestOfEqualIds) {
  const std::vector<float> logits{1.0F, 3.0F, 3.0F, -2.0F};
  EXPECT_EQ(argmax(logits), 1);
}

TEST(Logits, ArgmaxFindsTheLargestWhereverItStands) {
  for (const std::size_t size : {1, 63, 64, 65, 200}) {
    for (const std::size_t place : {std::size_t{0}, size / 3, size / 2, size - 1}) {
      std::vector<float> logits(size, -3.0F);
      logits[place] = -1.0F;
      EXPECT_EQ(argmax(logits), static_cast<std::int32_t>(place)) << size;
      logits[size - 1] = -1.0F;
      EXPECT_EQ(argmax(logits), static_cast<std::int32_t>(place)) << "the first of two";
    }
  }
}

TEST(Logits, ProbabilitiesSumToOne) {
  const std::vector<float> logits{100.0F, 99.0F, -5.0F};
  EXPECT_NEAR(probability(logits, 0), 1 / (1 + std::exp(-1.0)), 1e-12);
  EXPECT_NEAR(probability(logits, 0) + probability(logits, 1) + probability(logits, 2), 1.0, 1e-12);
}

TEST(Logits, TopIsSortedAndShortWhereThereAreFew) {
  const std::vector<float> logits{1.0F, 5.0F, 5.0F, 7.0F};
  const TopLogits top = top_logits(logits, 3);
  EXPECT_EQ(top.ids, (std::vector<std::int32_t>{3, 1, 2}));
  EXPECT_EQ(top.values, (std::vector<float>{7.0F, 5.0F, 5.0F}));
  EXPECT_EQ(top_logits(logits, 20).ids.size(), 4U);
}

TEST(Logits, AreUnusableWithNanOrNothingFinite) {
  EXPECT_TRUE(are_usable(std::vector<float>{0.0F, -std::numeric_limits<float>::infinity()}));
  EXPECT_FALSE(are_usable(std::vector<float>{0.0F, NAN}));
  EXPECT_FALSE(are_usable(std::vector<float>{-std::numeric_limits<float>::infinity()}));
  std::vector<float> many(200, 1.0F);
  EXPECT_TRUE(are_usable(many));
  many[77] = NAN;
  EXPECT_FALSE(are_usable(many));
}

}  // namespace
}  // namespace aitqe
