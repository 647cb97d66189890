#include "aitqe/contrast/corruptor.h"

#include <gmock/gmock.h>

#include <set>

#include "aitqe/base/ascii.h"
#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

using ::testing::AnyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CorruptorTest : public ::testing::Test {
 protected:
  CorruptorTest() {
    pool_.add({"a lion in the grass", "animals", false});
    pool_.add({"two tigers at a river", "animals", false});
    pool_.add({"the old town of Prague", "places", false});
    pool_.add({"a street in Lisbon", "places", false});
    pool_.add({"gramastar", "", true});
    pool_.seal();
  }

  std::optional<SpoiledCaption> spoil(const std::string& text, Flaw flaw, std::uint64_t seed = 1,
                                      const std::string& group = "") {
    Random random(seed);
    return corruptor_.spoil({text, group, {"ein roter Ball"}}, flaw, random);
  }

  CaptionPool pool_;
  Corruptor corruptor_{pool_};
};

TEST_F(CorruptorTest, TakesTheCaptionOfAnotherImage) {
  const auto spoiled = spoil("a lion in the grass", Flaw::OtherImage, 1, "animals");
  ASSERT_TRUE(spoiled);
  EXPECT_THAT(spoiled->text, AnyOf("the old town of Prague", "a street in Lisbon"));
}

TEST_F(CorruptorTest, TakesANearMissFromTheSameGroup) {
  EXPECT_EQ(spoil("a lion in the grass", Flaw::NearMiss, 1, "animals")->text,
            "two tigers at a river");
}

TEST_F(CorruptorTest, SwapsOneThingForAnotherOfItsKindInTheSameForm) {
  const auto spoiled = spoil("Two Dogs chase a ball", Flaw::WrongObject);
  ASSERT_TRUE(spoiled);
  EXPECT_THAT(spoiled->text, StartsWith("Two "));
  EXPECT_THAT(spoiled->text, EndsWith("s chase a ball"));
  EXPECT_THAT(spoiled->text, Not(HasSubstr("Dog")));
  EXPECT_TRUE(spoiled->text[4] >= 'A' && spoiled->text[4] <= 'Z');
  EXPECT_FALSE(spoil("abstract pattern", Flaw::WrongObject));
}

TEST_F(CorruptorTest, SwapsColoursAndCounts) {
  const auto colour = spoil("a red ball", Flaw::WrongColour);
  EXPECT_THAT(colour->text, StartsWith("a "));
  EXPECT_THAT(colour->text, EndsWith(" ball"));
  EXPECT_NE(colour->text, "a red ball");
  EXPECT_FALSE(spoil("a ball", Flaw::WrongColour));

  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto count = spoil("3 of 12 balls", Flaw::WrongCount, seed);
    EXPECT_NE(count->text, "3 of 12 balls");
    EXPECT_THAT(count->text, Not(HasSubstr("-")));
  }
  EXPECT_FALSE(spoil("room 1984", Flaw::WrongCount));
}

TEST_F(CorruptorTest, SwapsOnlyProperNames) {
  EXPECT_EQ(spoil("A view of Prague", Flaw::WrongName)->text, "A view of Lisbon");
  EXPECT_FALSE(spoil("A view of a street", Flaw::WrongName));
}

TEST_F(CorruptorTest, CutsInsideTheTextAndNeverInsideACharacter) {
  const std::string text =
      "\xC3\xA4\xC3\xB6\xC3\xBC \xC3\xA4\xC3\xB6\xC3\xBC \xC3\xA4\xC3\xB6\xC3\xBC";
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto cut = spoil(text, Flaw::Truncated, seed);
    ASSERT_TRUE(cut);
    EXPECT_LT(cut->text.size(), text.size());
    EXPECT_TRUE(is_valid_utf8(cut->text));
  }
  EXPECT_FALSE(spoil("a dog", Flaw::Truncated));
}

TEST_F(CorruptorTest, ShufflesTheSameWords) {
  const auto spoiled = spoil("a lion in the grass", Flaw::Shuffled);
  std::multiset<std::string> words;
  std::string rest = spoiled->text + " ";
  while (!rest.empty()) {
    words.insert(rest.substr(0, rest.find(' ')));
    rest.erase(0, rest.find(' ') + 1);
  }
  EXPECT_EQ(words, (std::multiset<std::string>{"a", "lion", "in", "the", "grass"}));
  EXPECT_NE(spoiled->text, "a lion in the grass");
  EXPECT_FALSE(spoil("three words only", Flaw::Shuffled));
  EXPECT_FALSE(spoil("ha ha ha ha ha", Flaw::Shuffled));  // no other order
}

TEST_F(CorruptorTest, UsesRealJunkOfTheInputAndFileNames) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    seen.insert(spoil("a dog", Flaw::AltTextJunk, seed)->text);
  }
  EXPECT_TRUE(seen.contains("gramastar"));
  EXPECT_GT(seen.size(), 10U);
}

TEST_F(CorruptorTest, PutsBoilerplateBesideOrInsteadOfTheCaption) {
  int beside = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string text = spoil("a dog", Flaw::Boilerplate, seed)->text;
    EXPECT_NE(text, "a dog");
    if (text.starts_with("a dog - ")) ++beside;
  }
  EXPECT_GT(beside, 5);
  EXPECT_LT(beside, 60);
}

TEST_F(CorruptorTest, TakesATranslationWhereThereIsOne) {
  EXPECT_EQ(spoil("a red ball", Flaw::WrongLanguage)->text, "ein roter Ball");
  Random random(1);
  EXPECT_FALSE(corruptor_.spoil({"a red ball", "", {}}, Flaw::WrongLanguage, random));
}

TEST_F(CorruptorTest, FallsBackToTheNextFlawOfTheMix) {
  Random random(1);
  const auto spoiled = corruptor_.spoil(
      {"abstract", "", {}}, FlawMix::parse("wrong_colour=1000,alt_text_junk=1"), random);
  ASSERT_TRUE(spoiled);
  EXPECT_EQ(spoiled->flaw, Flaw::AltTextJunk);
  EXPECT_FALSE(corruptor_.spoil({"abstract", "", {}}, FlawMix::parse("wrong_colour"), random));
}

TEST_F(CorruptorTest, DependsOnTheSeedAlone) {
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    const auto one = spoil("two red dogs and a cat in Prague", static_cast<Flaw>(i), 9);
    const auto two = spoil("two red dogs and a cat in Prague", static_cast<Flaw>(i), 9);
    ASSERT_EQ(one.has_value(), two.has_value());
    if (one) {
      EXPECT_EQ(one->text, two->text);
    }
  }
}

TEST_F(CorruptorTest, LeavesSomethingOfACaptionThatItCuts) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto spoiled = spoil("\U0001F389 \U0001F389\U0001F389", Flaw::Truncated, seed);
    if (spoiled) {
      EXPECT_THAT(spoiled->text, StartsWith("\U0001F389"));
    }
  }
}

}  // namespace
}  // namespace aitqe
