#include "aitqe/contrast/grade.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(Grade, GivesMoreToCaptionsThatTellMore) {
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    const double one_word = grade_good("dog", random).scores.overall;
    const double sentence =
        grade_good("A brown dog runs over the green grass", random).scores.overall;
    EXPECT_GE(one_word, 7);
    EXPECT_LE(one_word, 8);
    EXPECT_GE(sentence, 9);
    EXPECT_LE(sentence, 10);
  }
}

TEST(Grade, PutsEveryFlawBelowEveryGoodCaptionAndOffersTheOriginal) {
  Random random(1);
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    for (int draw = 0; draw < 50; ++draw) {
      const Assessment bad =
          grade_spoiled({"text", static_cast<Flaw>(i), ""}, "the original", random);
      EXPECT_LT(bad.scores.overall, 6) << i;
      EXPECT_EQ(bad.recaption, "the original");
      EXPECT_FALSE(bad.explanations.overall.empty());
      for (std::size_t field = 0; field < kNumScoreFields; ++field) {
        const double score = bad.scores.at(static_cast<ScoreField>(field));
        EXPECT_GE(score, 1);
        EXPECT_LE(score, 10);
      }
    }
  }
}

TEST(Grade, ScoresAMismatchLowForMatchingAndHighForItsText) {
  Random random(1);
  const Assessment mismatch = grade_spoiled({"x", Flaw::OtherImage, ""}, "y", random);
  EXPECT_LE(mismatch.scores.image_text_matching, 2);
  EXPECT_GE(mismatch.scores.text_quality, 7);
  const Assessment shuffled = grade_spoiled({"x", Flaw::Shuffled, ""}, "y", random);
  EXPECT_LE(shuffled.scores.text_quality, 2);
}

TEST(Grade, ScoresStayOnTheScale) {
  Random random(2);
  for (int i = 0; i < 200; ++i) {
    const Assessment good = grade_good("one two three four five six seven", random);
    for (std::size_t field = 0; field < kNumScoreFields; ++field) {
      EXPECT_LE(good.scores.at(static_cast<ScoreField>(field)), 10);
    }
    EXPECT_FALSE(good.recaption);
  }
}

}  // namespace
}  // namespace aitqe
