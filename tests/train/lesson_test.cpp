#include "aitqe/train/lesson.h"

#include <gmock/gmock.h>

#include "aitqe/contrast/grade.h"
#include "aitqe/pipeline/loaded_model.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class LessonTest : public ::testing::Test {
 protected:
  ModelInputs inputs_ = load_model_inputs(test::source_dir() / "models/aitqe-tiny");
  StageOptions stage_;

  TrainingImage image() const {
    Random random(1);
    TrainingImage made;
    made.good.push_back({"A red apple", {"a", true, "", "", grade_good("A red apple", random)}});
    made.bad.push_back(
        {"Lemon SVG theme", {"a", false, "shipped", "", grade_shipped_bad("A red apple", random)}});
    return made;
  }

  Lesson build(const StageOptions& stage) const { return build(stage, image()); }

  Lesson build(const StageOptions& stage, const TrainingImage& of) const {
    const LessonBuilder builder(inputs_.prompts, inputs_.tokenizer, inputs_.config.eos_ids.front(),
                                stage);
    Random random(1);
    return builder.build(of, random);
  }

  /// The part of a sequence behind the prompt for this caption.
  std::string answer(const TargetSequence& sequence, const std::string& caption) const {
    const auto prompt = inputs_.prompts->build(caption, CaptionSpecials::AsText).ids;
    EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), sequence.ids.begin()));
    std::string text;
    for (std::size_t i = prompt.size(); i < sequence.ids.size(); ++i) {
      text += inputs_.tokenizer->token_bytes(sequence.ids[i]);
    }
    for (std::size_t i = 0; i < prompt.size(); ++i) EXPECT_EQ(sequence.weights[i], 0);
    return text;
  }
};

TEST_F(LessonTest, TeachesAKeepARewriteAndTheRewritesForcedScore) {
  stage_.caption_share = 0;
  const Lesson lesson = build(stage_);
  ASSERT_EQ(lesson.sequences.size(), 5U);
  EXPECT_THAT(answer(lesson.sequences[0], "A red apple"), StartsWith(R"({"Overall Score": ")"));
  EXPECT_THAT(answer(lesson.sequences[0], "A red apple"), HasSubstr("<Overall>\"}"));
  EXPECT_EQ(answer(lesson.sequences[1], "A red apple"), R"({"Overall Score": ")");
  EXPECT_THAT(answer(lesson.sequences[2], "Lemon SVG theme"),
              StartsWith(R"({"Recaption": "A red apple", "Overall Score": ")"));
  EXPECT_EQ(answer(lesson.sequences[3], "Lemon SVG theme"), R"({"Overall Score": ")");
  EXPECT_THAT(answer(lesson.sequences[4], "Lemon SVG theme"), StartsWith(R"({"Overall Score": ")"));
  ASSERT_EQ(lesson.probes.size(), 2U);
  EXPECT_TRUE(lesson.probes[0].is_good);
  EXPECT_EQ(lesson.probes[0].sequence, 1U);
  EXPECT_FALSE(lesson.probes[1].is_good);
  EXPECT_EQ(lesson.probes[1].sequence, 3U);
}

TEST_F(LessonTest, GivesTheVerdictAndTheScoreMoreWeight) {
  stage_.caption_share = 0;
  stage_.verdict_weight = 7;
  const Lesson lesson = build(stage_);
  const auto heavy = [&](const TargetSequence& sequence) {
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < sequence.ids.size(); ++i) {
      if (sequence.weights[i] == 7) {
        tokens.emplace_back(inputs_.tokenizer->token_bytes(sequence.ids[i]));
      }
    }
    return tokens;
  };
  // The keys begin to differ right behind `{"`.
  const auto good = heavy(lesson.sequences[0]);
  ASSERT_EQ(good.size(), 2U);
  EXPECT_THAT(good[0], StartsWith("O"));
  EXPECT_THAT(good[1], ::testing::MatchesRegex("[0-9]+"));
  const auto bad = heavy(lesson.sequences[2]);
  ASSERT_EQ(bad.size(), 2U);
  EXPECT_THAT(bad[0], StartsWith("R"));
  EXPECT_THAT(bad[1], ::testing::MatchesRegex("[0-9]+"));
  EXPECT_EQ(heavy(lesson.sequences[4]).size(), 1U);  // the score alone: its key is forced
}

TEST_F(LessonTest, TeachesAScoreOnceWhereNothingIsRewritten) {
  stage_.caption_share = 0;
  TrainingImage made = image();
  made.bad.front().record.assessment.recaption.reset();
  const Lesson lesson = build(stage_, made);
  ASSERT_EQ(lesson.sequences.size(), 4U);
  EXPECT_THAT(answer(lesson.sequences[2], "Lemon SVG theme"), StartsWith(R"({"Overall Score": ")"));
}

TEST_F(LessonTest, BalancesGoodVerdictsWithTwoKindsOfBadOnes) {
  stage_.caption_share = 0;
  stage_.swapped_captions = 3;
  stage_.verdict_weight = 7;
  const Lesson lesson = build(stage_);
  EXPECT_EQ(std::ranges::count(lesson.sequences[0].weights, 14), 2);
  EXPECT_EQ(std::ranges::count(lesson.sequences[2].weights, 7), 2);
}

TEST_F(LessonTest, DescribesBehindAnEmptyCaption) {
  stage_.task = StageTask::Caption;
  const Lesson lesson = build(stage_);
  ASSERT_EQ(lesson.sequences.size(), 1U);
  EXPECT_EQ(answer(lesson.sequences[0], ""), R"({"Recaption": "A red apple",)");
  EXPECT_TRUE(lesson.probes.empty());
  double weight = 0;
  for (const float one : lesson.sequences[0].weights) weight += one;
  EXPECT_GT(weight, 0);
}

TEST_F(LessonTest, DescribesInTheTokensOfAnAnswerThatGoesOn) {
  TrainingImage dotted;
  Random random(1);
  dotted.bad.push_back({"logo", {"a", false, "shipped", "", grade_shipped_bad("A fly.", random)}});
  dotted.good.push_back({"A fly.", {"a", true, "", "", grade_good("A fly.", random)}});
  stage_.caption_share = 1;
  const Lesson lesson = build(stage_, dotted);
  const auto behind = [](const TargetSequence& sequence, std::size_t prompt) {
    return std::vector<std::int32_t>(sequence.ids.begin() + static_cast<std::ptrdiff_t>(prompt),
                                     sequence.ids.end());
  };
  const auto prompt_size = [&](const std::string& caption) {
    return inputs_.prompts->build(caption, CaptionSpecials::AsText).ids.size();
  };
  const TargetSequence& rewrite = lesson.sequences[2];  // of the bad caption
  ASSERT_THAT(answer(rewrite, "logo"), StartsWith(R"({"Recaption": "A fly.", ")"));
  const auto whole = behind(rewrite, prompt_size("logo"));
  const auto described = behind(lesson.sequences.back(), prompt_size(""));
  ASSERT_LT(described.size(), whole.size());
  EXPECT_TRUE(std::equal(described.begin(), described.end(), whole.begin()));
}

TEST_F(LessonTest, ShowsEveryImageTheCaptionsOfOthers) {
  stage_.caption_share = 0;
  const LessonBuilder builder(inputs_.prompts, inputs_.tokenizer, inputs_.config.eos_ids.front(),
                              stage_);
  Random random(1);
  std::vector<Lesson> lessons;
  for (const std::string caption : {"A red apple", "A green pear", "A red apple"}) {
    TrainingImage made;
    made.good.push_back({caption, {"a", true, "", "", grade_good(caption, random)}});
    lessons.push_back(builder.build(made, random));
    EXPECT_EQ(lessons.back().caption, caption);
  }
  builder.add_swapped(lessons, 2);
  ASSERT_EQ(lessons[0].swapped.size(), 1U);  // the same words elsewhere are no mismatch
  ASSERT_EQ(lessons[1].swapped.size(), 2U);
  ASSERT_EQ(lessons[2].swapped.size(), 1U);
  EXPECT_EQ(lessons[0].swapped[0].lesson, 1U);
  EXPECT_EQ(lessons[1].swapped[0].lesson, 2U);
  EXPECT_EQ(lessons[1].swapped[1].lesson, 0U);

  const Lesson& lesson = lessons[0];
  ASSERT_EQ(lesson.sequences.size(), 5U);  // the own answer and probe, then three of the other's
  const std::string verdict = answer(lesson.sequences[2], "A green pear");
  EXPECT_TRUE(std::string(R"({"Recaption": ")").starts_with(verdict)) << verdict;
  EXPECT_EQ(lesson.sequences[2].weights.back(), static_cast<float>(stage_.verdict_weight / 2));
  EXPECT_EQ(lesson.swapped[0].sequence, 3U);
  EXPECT_EQ(answer(lesson.sequences[3], "A green pear"), R"({"Overall Score": ")");
  EXPECT_EQ(answer(lesson.sequences[4], "A green pear"), R"({"Overall Score": "1)");
  EXPECT_EQ(lesson.sequences[4].weights.back(), static_cast<float>(stage_.verdict_weight / 2));
}

TEST_F(LessonTest, TeachesAllScoresOnlyWhenAsked) {
  stage_.caption_share = 0;
  EXPECT_THAT(answer(build(stage_).sequences[0], "A red apple"),
              ::testing::Not(HasSubstr("Explanation")));
  stage_.full_answers = true;
  EXPECT_THAT(answer(build(stage_).sequences[0], "A red apple"),
              HasSubstr("Image-Text Matching Score"));
}

}  // namespace
}  // namespace aitqe
