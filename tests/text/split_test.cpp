#include "aitqe/text/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> words(const std::vector<SplitStep>& steps, std::string_view text) {
  std::vector<std::string> found;
  Splitter(steps).for_each_word(text, [&](std::string_view word) { found.emplace_back(word); });
  return found;
}

std::vector<std::string> qwen2(std::string_view text) { return words(qwen2_split_steps(), text); }
std::vector<std::string> smollm2(std::string_view text) {
  return words(smollm2_split_steps(), text);
}

/// "" when `pattern` is taken, else what is said about it.
std::string complaint(const std::string& pattern) {
  try {
    const Splitter splitter({{pattern, false}});
  } catch (const Error& failure) {
    EXPECT_EQ(failure.category(), ErrorCategory::Model);
    return failure.what();
  }
  return "";
}

TEST(Qwen2Split, KeepsOneSignOrSpaceWithAWord) {
  EXPECT_THAT(qwen2("a cat, (the) x"), ElementsAre("a", " cat", ",", " (", "the", ")", " x"));
  EXPECT_THAT(qwen2("\tx"), ElementsAre("\tx"));
  EXPECT_THAT(qwen2(""), IsEmpty());
}

TEST(Qwen2Split, TakesOneDigitAtATime) {
  EXPECT_THAT(qwen2("x 12"), ElementsAre("x", " ", "1", "2"));
  EXPECT_THAT(qwen2("\u0661\u2167\u00BD"), ElementsAre("\u0661", "\u2167", "\u00BD"));
}

TEST(Qwen2Split, CutsContractionsInAnyCase) {
  EXPECT_THAT(qwen2("I'm we'LL"), ElementsAre("I", "'m", " we", "'LL"));
  EXPECT_THAT(qwen2("it'\u017Fx"), ElementsAre("it", "'\u017F", "x"));  // long s
}

TEST(Qwen2Split, LeavesTheLastSpaceOfARunToTheWord) {
  EXPECT_THAT(qwen2("a   b"), ElementsAre("a", "  ", " b"));
  EXPECT_THAT(qwen2("a  "), ElementsAre("a", "  "));
  EXPECT_THAT(qwen2("a \n\n  b"), ElementsAre("a", " \n\n", " ", " b"));
  EXPECT_THAT(qwen2("!\n\nb"), ElementsAre("!\n\n", "b"));
}

TEST(Qwen2Split, TakesUnicodeWhiteSpaceAndNothingElseForSpace) {
  for (const char* space : {"\u0085", "\u00A0", "\u1680", "\u2028", "\u3000"}) {
    const std::string text = std::string("1") + space + space + "2";
    EXPECT_THAT(qwen2(text), ElementsAre("1", space, space, "2")) << space;
  }
  for (const char* sign : {"\x1C", "\x1F", "\u200B", "\u180E", "\uFEFF"}) {
    const std::string both = std::string(sign) + sign;
    EXPECT_THAT(qwen2("1" + both + "2"), ElementsAre("1", both, "2")) << sign;
  }
}

TEST(Qwen2Split, KnowsLettersAndNumbersYoungerThanPcre2) {
  EXPECT_THAT(qwen2("\U00031350\U000105C0"), ElementsAre("\U00031350\U000105C0"));
  EXPECT_THAT(qwen2("\U0001E4F5\U0001E4F5"), ElementsAre("\U0001E4F5", "\U0001E4F5"));
}

TEST(Smollm2Split, CutsDigitsBeforeThePattern) {
  EXPECT_THAT(smollm2("a  12 b"), ElementsAre("a", "  ", "1", "2", " b"));
  EXPECT_THAT(smollm2("I'm we'LL"), ElementsAre("I", "'m", " we", "'", "LL"));
  EXPECT_THAT(smollm2("!\n\nb"), ElementsAre("!", "\n", "\n", "b"));
}

TEST(Splitter, PutsAPrefixSpaceBeforeEachPieceWithoutOne) {
  const std::vector<SplitStep> steps = {{std::string(digit_pattern()), false},
                                        {std::string(gpt2_pattern()), true}};
  EXPECT_THAT(words(steps, "a1 b"), ElementsAre(" a", " 1", " b"));
}

TEST(Splitter, HandsOutGapsBetweenMatches) {
  EXPECT_THAT(words({{"b+", false}}, "abbc"), ElementsAre("a", "bb", "c"));
  EXPECT_THAT(words({{"", false}}, "abbc"), ElementsAre("abbc"));
}

TEST(Splitter, RefusesPatternsThatCouldMeanSomethingElse) {
  for (const char* pattern : {R"(\w+)", R"(\d)", R"(\p{Lu})", R"([^\S])", "[a&&b]", "[[:alpha:]]",
                              "(?<x>a)", "(?i)a", "^a", "a$", "a{,3}", "(*UCP)a", "\\"}) {
    EXPECT_THAT(complaint(pattern), HasSubstr("not understood")) << pattern;
  }
  EXPECT_THAT(complaint("a*"), HasSubstr("matches empty text"));
  EXPECT_THAT(complaint("(a"), HasSubstr("pattern \"(a\""));
  EXPECT_EQ(complaint(R"([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\S|\x{3000}|\.)"), "");
}

TEST(Splitter, GivesUpOnARunawayPatternWithAnError) {
  const Splitter splitter({{"(?:a|aa)+[bc]", false}});
  EXPECT_THROW(splitter.for_each_word(std::string(5000, 'a'), [](std::string_view) {}), Error);
}

TEST(Splitter, TakesMegabytesOfOneKind) {
  for (const char* unit :
       {"a", " ", "\n", "1", "!", "\u4E2D", "\u3000", " \n", "'", " a", "\u0301"}) {
    std::string text;
    while (text.size() < (1U << 20)) text += unit;
    for (const auto& steps : {qwen2_split_steps(), smollm2_split_steps()}) {
      std::size_t total = 0;
      Splitter(steps).for_each_word(text, [&](std::string_view word) { total += word.size(); });
      EXPECT_EQ(total, text.size()) << testing::PrintToString(unit);
    }
  }
}

}  // namespace
}  // namespace aitqe
