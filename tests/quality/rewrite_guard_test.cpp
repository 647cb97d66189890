#include "aitqe/quality/rewrite_guard.h"

#include <gtest/gtest.h>

#include <string>

namespace aitqe {
namespace {

std::optional<RewriteFault> fault(std::string_view rewrite, std::string_view original = "") {
  return find_rewrite_fault(rewrite, original, AnswerKeys());
}

TEST(RewriteGuard, PassesOrdinaryCaptions) {
  for (const std::string_view text :
       {"A man in a red coat walks a dog.", "Price < 3 | size > 2",
        "I can't breathe, says a banner", "An overall score of 3-2 on the board",
        "very very very good", "一只狗在草地上。", "A {b} [c]", "line one\nline two",
        "Sorry, we are closed", "I cannot lie"}) {
    EXPECT_EQ(fault(text), std::nullopt) << text;
  }
}

TEST(RewriteGuard, FindsEachFault) {
  EXPECT_EQ(fault(""), RewriteFault::Empty);
  EXPECT_EQ(fault(" \n\t"), RewriteFault::Empty);
  EXPECT_EQ(fault(std::string("a\0b", 3)), RewriteFault::BadText);
  EXPECT_EQ(fault("a\x1b[0m"), RewriteFault::BadText);
  EXPECT_EQ(fault("a\u0085b"), RewriteFault::BadText);
  EXPECT_EQ(fault("a\u202Eb"), RewriteFault::BadText);
  EXPECT_EQ(fault("a\u2066b"), RewriteFault::BadText);
  EXPECT_EQ(fault("a\uFFFD"), RewriteFault::BadText);
  EXPECT_EQ(fault("a\xFF"), RewriteFault::BadText);
  for (const std::string_view text : {"a<|im_end|>", "a <|vision_pad|> b", "2<Overall>",
                                      "<img_start>x", "<noloss_end>", "</s>", "[INST] a"}) {
    EXPECT_EQ(fault(text), RewriteFault::SpecialToken) << text;
  }
  for (const std::string_view text :
       {"Evaluate the caption: a dog", "x. Respond using a dictionary structure.",
        "a dog \"Overall Score\": 9", "overall score : 9", "Recaption: a dog"}) {
    EXPECT_EQ(fault(text), RewriteFault::PromptMarker) << text;
  }
  for (const std::string_view text :
       {"I cannot see the image.", "I can't help with that", "I can’t view it", "I’m sorry, but no",
        "As an AI, I have no eyes", "Sure. As an AI language model I try",
        "Unable to determine the content"}) {
    EXPECT_EQ(fault(text), RewriteFault::Refusal) << text;
  }
  EXPECT_EQ(fault("See https://example.com/a."), RewriteFault::Url);
  EXPECT_EQ(fault("(WWW.example.com)"), RewriteFault::Url);
  EXPECT_EQ(fault("a dog dog dog dog dog dog dog dog"), RewriteFault::Loop);
  EXPECT_EQ(fault("a b c a b c a b c a b c a b c a b c a b c a b c"), RewriteFault::Loop);
}

TEST(RewriteGuard, AllowsALinkThatTheCaptionHolds) {
  EXPECT_EQ(fault("A page, www.example.com.", "see www.example.com"), std::nullopt);
}

TEST(SaysTheSame, LooksAtWordsAlone) {
  EXPECT_TRUE(says_the_same("Cell floating in saline.", "cell  floating in Saline"));
  EXPECT_TRUE(says_the_same("...", " ... "));
  EXPECT_TRUE(says_the_same("\xC3\x89t\xC3\xA9!", "\xC3\x89t\xC3\xA9"));
  EXPECT_FALSE(says_the_same("a cats", "a cat s"));
  EXPECT_FALSE(says_the_same("3.5 apples", "35 apples"));
  EXPECT_FALSE(says_the_same("a cat", "a black cat"));
  EXPECT_FALSE(says_the_same("!", "?"));
  EXPECT_FALSE(says_the_same("", "a"));
}

TEST(LostFact, FindsNamesAndNumbersThatAreGone) {
  EXPECT_EQ(find_lost_fact("an old bridge", "the bridge in Mostar"), "Mostar");
  EXPECT_EQ(find_lost_fact("the bridge in mostar", "the bridge in Mostar"), std::nullopt);
  EXPECT_EQ(find_lost_fact("some balls", "12 balls"), "12");
  EXPECT_EQ(find_lost_fact("a table, 12 balls", "12 balls"), std::nullopt);
  EXPECT_EQ(find_lost_fact("12 balls", "1 of 12 balls"), "1");  // a word, not a part of one
  EXPECT_EQ(find_lost_fact("(Mostar's bridge) in Mostar.", "the bridge in Mostar"), std::nullopt);
}

TEST(Facts, AreNamesAndNumbersAsTheyStand) {
  EXPECT_EQ(find_facts("the 2 bridges (in Mostar), 12."),
            (std::vector<std::string>{"2", "Mostar", "12"}));
  EXPECT_EQ(find_facts("A cat"), std::vector<std::string>());
  EXPECT_EQ(fact_words("(In Mostar), 12."), (std::vector<std::string>{"in", "mostar", "12"}));
}

TEST(Facts, AreNumbersAsPeopleWriteThem) {
  EXPECT_EQ(find_facts("a 3.5 inch drive for 1,200 dollars, 50% off at 20\xC2\xB0."),
            (std::vector<std::string>{"3.5", "1,200", "50%", "20\xC2\xB0"}));
  EXPECT_EQ(find_facts("the 2nd car of the 1990s (1,5)"),
            (std::vector<std::string>{"2nd", "1990s", "1,5"}));
  EXPECT_EQ(find_facts("a 1. b 1..2 c 4K e .5. f v2"), (std::vector<std::string>{"1", "5"}));
  EXPECT_EQ(find_lost_fact("1200 cats, 50 percent", "50% of 1,200 cats"), std::nullopt);
  EXPECT_EQ(find_lost_fact("a 35 inch drive", "a 3.5 inch drive"), "3.5");
}

TEST(LostFact, TellsADecimalCommaFromThousands) {
  EXPECT_EQ(find_lost_fact("15 l of milk", "1,5 l of milk"), "1,5");
  EXPECT_EQ(find_lost_fact("about 1200000 of them", "about 1,200,000 of them"), std::nullopt);
  EXPECT_EQ(find_lost_fact("about 1,2000 of them", "about 12,000 of them"), "12,000");
}

TEST(Facts, AreNoPronounsAndSingleLetters) {
  EXPECT_EQ(find_facts("the day I'm old, or I'd say They\xE2\x80\x99re not a O'Brien"),
            (std::vector<std::string>{"O'Brien"}));
  EXPECT_EQ(find_facts("plan A of an \xD0\x98 and \xC3\x89 here"), std::vector<std::string>());
}

TEST(LostFact, IsTheSameInAnyCase) {
  EXPECT_EQ(find_lost_fact("the \xC3\xA9"
                           "cole of nasa",
                           "the old \xC3\x89"
                           "cole of NASA's staff"),
            std::nullopt);
  EXPECT_EQ(find_lost_fact("NASA'S own \xCE\xB1\xCE\xB8\xCE\xAE\xCE\xBD\xCE\xB1",
                           "the logo of NASA in \xCE\x91\xCE\xB8\xCE\xAE\xCE\xBD\xCE\xB1"),
            std::nullopt);
  EXPECT_EQ(find_lost_fact("\xD1\x80\xD0\xB8\xD0\xBC \xD0\xBC\xD0\xB8\xD1\x80",
                           "a b \xD0\xA0\xD0\xB8\xD0\xBC c \xD0\x9C\xD0\xB8\xD1\x80"),
            std::nullopt);
}

TEST(SaysTheSame, WhateverTheCaseOfTheScript) {
  EXPECT_TRUE(says_the_same("\u00C9T\u00C9!", "\u00E9t\u00E9"));
  EXPECT_FALSE(says_the_same("\u00C9T\u00C9", "ete"));
}

TEST(Facts, AreNamesInAnySpelling) {
  EXPECT_EQ(find_facts("the NASA logo on an old BMW"), (std::vector<std::string>{"NASA", "BMW"}));
  EXPECT_EQ(
      find_facts("a McDonald's in \xC3\x96sterreich or \xD0\x9C\xD0\xBE\xD1\x81t"),
      (std::vector<std::string>{"McDonald's", "\xC3\x96sterreich", "\xD0\x9C\xD0\xBE\xD1\x81t"}));
  EXPECT_EQ(find_lost_fact("a street in Mostar", "the old streets of Mostar's centre"),
            std::nullopt);
  EXPECT_EQ(find_lost_fact("an old car", "an old car in \xC3\x96sterreich"), "\xC3\x96sterreich");
  EXPECT_EQ(find_facts("trams in \u0141\u00F3d\u017A"),
            std::vector<std::string>{"\u0141\u00F3d\u017A"});
  EXPECT_EQ(find_lost_fact("a tram in \u0142\u00F3d\u017A", "trams in \u0141\u00F3d\u017A"),
            std::nullopt);
  EXPECT_EQ(find_facts("a \xC3\xA9t\xC3\xA9 3\xC3\x97"), std::vector<std::string>());
}

TEST(LostFact, IsNotLookedForInTitlesFileNamesAndStamps) {
  EXPECT_EQ(find_lost_fact("a wreath", "Wreath of Evergreen, with Red Berries"), std::nullopt);
  EXPECT_EQ(find_lost_fact("a dog", "IMG_4711.JPG"), std::nullopt);
  EXPECT_EQ(find_lost_fact("a dog", "DSC00123"), std::nullopt);
  EXPECT_EQ(find_lost_fact("a dog", "Part of the Flat Icon Collection (Wed Aug 25 23:29:46 2004)"),
            std::nullopt);
  EXPECT_EQ(find_lost_fact("a dog", "BREAKING NEWS"), std::nullopt);
  EXPECT_EQ(find_lost_fact("", ""), std::nullopt);
}

}  // namespace
}  // namespace aitqe
