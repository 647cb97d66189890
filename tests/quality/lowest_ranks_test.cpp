#include "aitqe/quality/lowest_ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The positions that are taken.
std::vector<std::size_t> lowest(const std::vector<Rank>& ranks, std::size_t count) {
  LowestRanks chosen;
  for (const Rank& rank : ranks) chosen.add(rank);
  EXPECT_EQ(chosen.size(), ranks.size());
  chosen.close(count);
  std::vector<std::size_t> taken;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (chosen.take(ranks[i])) taken.push_back(i);
  }
  return taken;
}

TEST(LowestRanks, TakesAsManyAsAskedByScoreThenTie) {
  const std::vector<Rank> ranks{{5, 1}, {2, 9}, {2, 3}, {7, 0}, {2, 4}};
  EXPECT_THAT(lowest(ranks, 0), IsEmpty());
  EXPECT_THAT(lowest(ranks, 1), ElementsAre(2));
  EXPECT_THAT(lowest(ranks, 2), ElementsAre(2, 4));
  EXPECT_THAT(lowest(ranks, 4), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(lowest(ranks, 9), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(lowest({}, 3), IsEmpty());
}

TEST(LowestRanks, IsExactWhereRanksAreEqualAltogether) {
  const std::vector<Rank> ranks{{3, 7}, {1, 0}, {3, 7}, {3, 7}, {9, 9}};
  EXPECT_THAT(lowest(ranks, 2), ElementsAre(0, 1));
  EXPECT_THAT(lowest(ranks, 3), ElementsAre(0, 1, 2));
}

TEST(LowestRanks, TurnedRoundTakesTheRest) {
  const std::vector<Rank> ranks{{3, 7}, {1, 0}, {3, 5}, {3, 6}, {9, 9}};
  std::vector<Rank> reversed;
  for (const Rank& rank : ranks) reversed.push_back(rank.reversed());
  EXPECT_THAT(lowest(ranks, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(lowest(reversed, 2), ElementsAre(0, 4));
}

}  // namespace
}  // namespace aitqe
