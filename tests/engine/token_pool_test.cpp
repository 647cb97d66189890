#include "aitqe/engine/token_pool.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(TokenPool, TakesTheFirstGapThatFits) {
  TokenPool pool(10);
  EXPECT_EQ(pool.take(4), 0);
  EXPECT_EQ(pool.take(2), 4);
  EXPECT_EQ(pool.take(4), 6);
  EXPECT_FALSE(pool.has(1));
  EXPECT_EQ(pool.take(1), std::nullopt);
  pool.give_back(4, 2);
  EXPECT_TRUE(pool.has(2));
  EXPECT_FALSE(pool.has(3));
  EXPECT_EQ(pool.take(3), std::nullopt);
  EXPECT_EQ(pool.take(1), 4);
  EXPECT_EQ(pool.take(1), 5);
}

TEST(TokenPool, JoinsGapsWithTheirNeighboursOnBothSides) {
  TokenPool pool(9);
  for (const std::int64_t first : {0, 3, 6}) EXPECT_EQ(pool.take(3), first);
  pool.give_back(0, 3);
  pool.give_back(6, 3);
  EXPECT_FALSE(pool.has(4));  // two gaps of three
  pool.give_back(3, 3);
  EXPECT_EQ(pool.take(9), 0);
}

TEST(TokenPool, HasNothingWhereItIsEmpty) { EXPECT_FALSE(TokenPool(0).has(1)); }

}  // namespace
}  // namespace aitqe
