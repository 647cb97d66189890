#include "aitqe/base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace aitqe {
namespace {

TEST(Random, GivesTheNumbersOfSplitMix64) {
  Random random(0);
  // The generator's published first outputs for seed 0.
  EXPECT_EQ(random.next(), 0xE220A8397B1DCDAFULL);
  EXPECT_EQ(random.next(), 0x6E789E6AA1B965F4ULL);
  EXPECT_EQ(random.next(), 0x06C45D188009454FULL);
}

TEST(Random, StaysInsideItsRanges) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_LT(random.below(7), 7U);
    const int value = random.between(-2, 2);
    EXPECT_TRUE(value >= -2 && value <= 2);
    sum += random.unit();
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, ShufflesWithoutLosingAnything) {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  std::vector<int> shuffled = items;
  Random(3).shuffle(shuffled);
  EXPECT_NE(shuffled, items);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, items);
}

TEST(HashText, TellsTextsAndSeedsApart) {
  EXPECT_NE(hash_text("a", 0), hash_text("b", 0));
  EXPECT_NE(hash_text("a", 0), hash_text("a", 1));
  EXPECT_EQ(hash_text("a cat", 5), hash_text("a cat", 5));
}

}  // namespace
}  // namespace aitqe
