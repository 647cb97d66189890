#include "aitqe/text/bpe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Letters a, b, c are ids 0, 1, 2; no other bytes.
BpeRules abc_rules(std::vector<BpeRules::Merge> merges) {
  BpeRules rules;
  for (int i = 0; i < 3; ++i) rules.byte_ids[static_cast<std::size_t>('a' + i)] = i;
  rules.merges = std::move(merges);
  return rules;
}

TEST(ByteAlphabet, IsGpt2s) {
  EXPECT_EQ(to_byte_alphabet(" a\n"), "\u0120a\u010A");
  EXPECT_EQ(to_byte_alphabet("\xC3\xA9"), "\u00C3\u00A9");
  EXPECT_EQ(to_byte_alphabet(std::string_view("\0", 1)), "\u0100");
  EXPECT_EQ(to_byte_alphabet("\xAD"), "\u0143");
}

TEST(ByteAlphabet, ComesBackForEveryByte) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
  EXPECT_EQ(from_byte_alphabet(to_byte_alphabet(bytes)), bytes);
}

TEST(ByteAlphabet, KnowsWhatItCannotSpell) {
  EXPECT_EQ(from_byte_alphabet(" "), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\u0144"), std::nullopt);
  EXPECT_EQ(from_byte_alphabet("\u4E2D"), std::nullopt);
}

TEST(Bpe, MergesTheBestPairFirst) {
  // "b c" ranks before "a b".
  const Bpe bpe(abc_rules({{1, 2, 3}, {0, 1, 4}}));
  EXPECT_THAT(bpe.encode("abc"), ElementsAre(0, 3));
  EXPECT_THAT(bpe.encode("aba"), ElementsAre(4, 0));
  EXPECT_THAT(bpe.encode(""), IsEmpty());
}

TEST(Bpe, MergesEqualPairsFromTheLeft) {
  const Bpe bpe(abc_rules({{0, 0, 3}}));
  EXPECT_THAT(bpe.encode("aaa"), ElementsAre(3, 0));
  EXPECT_THAT(bpe.encode("aaaa"), ElementsAre(3, 3));
}

TEST(Bpe, BuildsOnMerges) {
  const Bpe bpe(abc_rules({{0, 1, 3}, {3, 2, 4}, {4, 4, 5}}));
  EXPECT_THAT(bpe.encode("abcabcab"), ElementsAre(5, 3));
}

TEST(Bpe, UsesTheLaterRankOfAPairListedTwice) {
  const Bpe bpe(abc_rules({{0, 1, 3}, {1, 2, 4}, {0, 1, 3}}));
  EXPECT_THAT(bpe.encode("abc"), ElementsAre(0, 4));
}

TEST(Bpe, DropsBytesThatTheVocabularyLacks) {
  const Bpe bpe(abc_rules({{0, 1, 3}}));
  EXPECT_THAT(bpe.encode("axb"), ElementsAre(3));
  EXPECT_THAT(bpe.encode("xyz"), IsEmpty());
}

TEST(Bpe, TakesAMegabyteLongWord) {
  const Bpe bpe(abc_rules({{0, 0, 3}, {3, 3, 4}, {4, 4, 5}}));
  EXPECT_EQ(bpe.encode(std::string(1 << 20, 'a')).size(), (1U << 20) / 8);
}

}  // namespace
}  // namespace aitqe
