#include "aitqe/quality/worst.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<ScoredPair> with_scores(const std::vector<double>& scores) {
  std::vector<ScoredPair> pairs;
  for (const double score : scores) {
    const auto index = static_cast<std::int64_t>(pairs.size());
    pairs.push_back({"00000", std::to_string(index), index, score});
  }
  return pairs;
}

/// Positions of the worst `percent`, as runs choose them.
std::vector<std::size_t> choose_worst(const std::vector<ScoredPair>& pairs, double percent,
                                      std::uint64_t seed) {
  LowestRanks lowest;
  for (const ScoredPair& pair : pairs) lowest.add(worst_rank(pair, seed));
  lowest.close(share_of(percent, lowest.size()));
  std::vector<std::size_t> worst;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (lowest.take(worst_rank(pairs[i], seed))) worst.push_back(i);
  }
  return worst;
}

TEST(ChooseWorst, TakesTheLowestScores) {
  EXPECT_THAT(choose_worst(with_scores({5, 1, 9, 2}), 50, 0), ElementsAre(1, 3));
  EXPECT_THAT(choose_worst(with_scores({5, 1, 9, 2}), 0, 0), IsEmpty());
  EXPECT_THAT(choose_worst(with_scores({5, 1, 9, 2}), 100, 0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(choose_worst({}, 10, 0), IsEmpty());
}

TEST(ChooseWorst, RoundsHalfUpToWholePairs) {
  const auto count = [](std::size_t pairs, double percent) {
    return choose_worst(with_scores(std::vector<double>(pairs, 3.0)), percent, 0).size();
  };
  EXPECT_EQ(count(5, 10), 1u);   // 0.5
  EXPECT_EQ(count(4, 10), 0u);   // 0.4
  EXPECT_EQ(count(15, 10), 2u);  // 1.5
  EXPECT_EQ(count(20, 2.5), 1u);
  EXPECT_EQ(count(1000, 0.1), 1u);
}

TEST(ChooseWorst, BreaksTiesByTheSeedAndNotByOrder) {
  std::vector<ScoredPair> pairs = with_scores(std::vector<double>(40, 3.0));
  const auto chosen_keys = [&pairs](std::uint64_t seed) {
    std::set<std::string> keys;
    for (const std::size_t position : choose_worst(pairs, 50, seed)) {
      keys.insert(pairs[position].key);
    }
    return keys;
  };
  const std::set<std::string> before = chosen_keys(1);
  EXPECT_EQ(before.size(), 20u);
  EXPECT_NE(before, chosen_keys(2));
  std::reverse(pairs.begin(), pairs.end());
  EXPECT_EQ(before, chosen_keys(1));
}

// The choice is part of the output's contract: a rerun elsewhere must take the same pairs.
// Expected: the same hash written in Python.
TEST(ChooseWorst, TakesTheSamePairsOnEveryMachine) {
  EXPECT_THAT(choose_worst(with_scores(std::vector<double>(10, 3.0)), 30, 42),
              ElementsAre(0, 1, 8));
}

}  // namespace
}  // namespace aitqe
