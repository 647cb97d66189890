#include "aitqe/report/drift.h"

#include <gtest/gtest.h>

#include <string>

namespace aitqe {
namespace {

CaptionStatistics statistics_of(const std::vector<std::string>& captions) {
  CaptionStatistics statistics;
  for (const std::string& caption : captions) statistics.add(caption);
  return statistics;
}

TEST(CaptionStatistics, OfNothingAreZero) {
  const CaptionStatistics none;
  EXPECT_EQ(none.captions(), 0);
  EXPECT_EQ(none.mean_words(), 0.0);
  EXPECT_EQ(none.vocabulary(), 0);
  EXPECT_EQ(none.word_entropy_bits(), 0.0);
  EXPECT_EQ(none.repeated_share(), 0.0);
}

TEST(CaptionStatistics, CountWordsAndCharacters) {
  const auto two = statistics_of({"a cat", " caf\xC3\xA9\tau  lait\n"});
  EXPECT_EQ(two.captions(), 2);
  EXPECT_EQ(two.mean_words(), 2.5);
  EXPECT_EQ(two.mean_characters(), (5 + 15) / 2.0);
  EXPECT_EQ(two.vocabulary(), 5);
}

TEST(CaptionStatistics, EntropyIsThatOfWordsAndOfPairsWithinACaption) {
  // Words: a 2, b 1, c 1. Pairs: "a b", "a c".
  const auto captions = statistics_of({"a b", "A c"});
  EXPECT_DOUBLE_EQ(captions.word_entropy_bits(), 1.5);
  EXPECT_DOUBLE_EQ(captions.word_pair_entropy_bits(), 1.0);
  EXPECT_DOUBLE_EQ(statistics_of({"a a a"}).word_entropy_bits(), 0.0);
  // The order of a pair counts.
  EXPECT_DOUBLE_EQ(statistics_of({"a b", "b a"}).word_pair_entropy_bits(), 1.0);
}

TEST(CaptionStatistics, ShareOfCaptionsThatAreRepeated) {
  EXPECT_DOUBLE_EQ(statistics_of({"x", "y", "x", "z", "x"}).repeated_share(), 0.6);
}

TEST(CaptionStatistics, RepeatedShareOfManyIsEstimated) {
  CaptionStatistics captions;
  for (int i = 0; i < 400'000; ++i) captions.add(std::to_string(i % 300'000));
  // 100 000 captions stand twice: 200 000 of 400 000.
  EXPECT_NEAR(captions.repeated_share(), 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(captions.vocabulary()), 300'000, 3'000);
}

TEST(CaptionStatistics, MergeAsIfAddedTogether) {
  auto merged = statistics_of({"a b", "c"});
  merged.merge(statistics_of({"a b", "d e f"}));
  const auto together = statistics_of({"a b", "c", "a b", "d e f"});
  EXPECT_EQ(merged.captions(), together.captions());
  EXPECT_EQ(merged.mean_words(), together.mean_words());
  EXPECT_EQ(merged.word_entropy_bits(), together.word_entropy_bits());
  EXPECT_EQ(merged.word_pair_entropy_bits(), together.word_pair_entropy_bits());
  EXPECT_EQ(merged.repeated_share(), 0.5);
}

TEST(WordDivergence, GoesFromNoneToOneBit) {
  const auto cats = statistics_of({"a cat"});
  const auto dogs = statistics_of({"my dog"});
  EXPECT_DOUBLE_EQ(CaptionStatistics::word_divergence_bits(cats, cats), 0.0);
  EXPECT_DOUBLE_EQ(CaptionStatistics::word_divergence_bits(cats, dogs), 1.0);
  EXPECT_EQ(CaptionStatistics::word_divergence_bits(cats, CaptionStatistics()), 0.0);
  // a: 1/2 and 1/2; cat: 1/2 and 0; dog: 0 and 1/2. Each of the two that differ gives 1/4.
  EXPECT_DOUBLE_EQ(CaptionStatistics::word_divergence_bits(cats, statistics_of({"a dog"})), 0.5);
}

TEST(LostWords, AreThoseThatStandNowhereAnyMore) {
  // a 3, cat 2, red 1, hat 1.
  const auto before = statistics_of({"a cat", "a cat", "a red hat"});
  const auto after = statistics_of({"a cat", "the Hat"});
  const auto lost = CaptionStatistics::lost_words_share;
  EXPECT_DOUBLE_EQ(lost(before, after, 100), 1.0 / 4);
  EXPECT_DOUBLE_EQ(lost(before, after, 1), 1.0 / 2);  // of red and hat
  EXPECT_DOUBLE_EQ(lost(before, before, 100), 0.0);
  EXPECT_DOUBLE_EQ(lost(before, CaptionStatistics(), 100), 1.0);
  EXPECT_DOUBLE_EQ(lost(CaptionStatistics(), after, 100), 0.0);
}

TEST(LostFacts, AreNamesAndNumbersOfWhichNoWordIsLeft) {
  const auto before = statistics_of({"the bridge in Mostar", "12 balls", "the flag of Poland"});
  EXPECT_EQ(before.facts(), 3);
  // Mostar stays in other letters and behind a bracket; 12 and Poland go.
  const auto after = statistics_of({"(mostar) bridge", "many balls", "white and red flag"});
  EXPECT_DOUBLE_EQ(CaptionStatistics::lost_facts_share(before, after), 2.0 / 3);
  EXPECT_DOUBLE_EQ(CaptionStatistics::lost_facts_share(after, before), 0.0);
  auto merged = statistics_of({"12 dots"});
  merged.merge(after);
  EXPECT_DOUBLE_EQ(CaptionStatistics::lost_facts_share(before, merged), 1.0 / 3);
}

}  // namespace
}  // namespace aitqe
