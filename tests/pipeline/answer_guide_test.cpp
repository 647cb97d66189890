#include "aitqe/pipeline/answer_guide.h"

#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "support/reference.h"
#include "support/scripted_model.h"

namespace aitqe {
namespace {

using aitqe::test::ScriptedModel;

class AnswerGuideTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Tokenizer> tokenizer_ = std::make_shared<const Tokenizer>(
      Tokenizer::load(aitqe::test::reference_dir() / "grouped-bf16-sharded"));
  std::vector<std::pair<std::string, double>> answers_ = {
      {R"({"Recaption": "A cat", "Overall Score": "2<Overall>", "Overall Explanation": "x"})", 0.6},
      {R"({"Overall Score": "8<Overall>", "Overall Explanation": "y"})", 0.2},
      {R"({"Overall Score": "10<Overall>", "Overall Explanation": "y"})", 0.15},
      {R"({"Overall Score": "1<Overall>", "Overall Explanation": "y"})", 0.05}};

  std::shared_ptr<AnswerRules> rules() const {
    const ScriptedModel model(tokenizer_, {});
    return std::make_shared<AnswerRules>(tokenizer_, AnswerKeys(),
                                         std::vector<std::int32_t>{model.end_id()});
  }

  Answer ask(const std::shared_ptr<AnswerRules>& rules, AnswerOrder order) const {
    AnswerGuide guide(rules, order);
    ScriptedModel(tokenizer_, answers_).run(guide);
    return guide.take_answer();
  }
};

TEST_F(AnswerGuideTest, StopsAfterTheScoreAndReadsTheProbabilities) {
  const Answer answer = ask(rules(), {});
  EXPECT_EQ(answer.text, R"({"Recaption": "A cat", "Overall Score": "2<Overall>)");
  EXPECT_NEAR(answer.p_rewrite, 0.6, 1e-6);
  EXPECT_NEAR(answer.score_expected, 2.0, 1e-4);
  EXPECT_EQ(answer.score_forced, -1.0);
  EXPECT_TRUE(answer.first_logits.ids.empty());
}

TEST_F(AnswerGuideTest, KeepsTheFirstLogitsWhereTheyAreAskedFor) {
  const auto rules_with_logits = rules();
  rules_with_logits->with_first_logits = true;
  const Answer answer = ask(rules_with_logits, {});
  EXPECT_EQ(answer.first_logits.ids.front(), answer.ids.front());
}

TEST_F(AnswerGuideTest, TakesTheMeanOverTheDigitsWithTenAsOneThenZero) {
  const Answer answer = ask(rules(), {AnswerStart::ForceScore, {}});
  // Given the score key: 8 with 0.5, 10 with 0.375, 1 with 0.125.
  EXPECT_NEAR(answer.score_expected, 0.5 * 8 + 0.375 * 10 + 0.125 * 1, 1e-4);
  EXPECT_NEAR(answer.p_rewrite, 0.6, 1e-6);
  EXPECT_TRUE(answer.text.starts_with(R"({"Overall Score": ")"));
}

TEST_F(AnswerGuideTest, GoesOnToTheEndWhenAllIsWanted) {
  const auto all = rules();
  all->full = true;
  const Answer answer = ask(all, {});
  EXPECT_EQ(answer.text, answers_[0].first);
  EXPECT_EQ(answer.ids.back(), all->eos_ids.front());
}

TEST_F(AnswerGuideTest, StopsAtTheLongestAnswer) {
  const auto few = rules();
  few->max_new_tokens = 5;
  EXPECT_EQ(ask(few, {}).ids.size(), 5U);
}

TEST_F(AnswerGuideTest, AsksForTheForcedScoreOfAnAnswerThatIsCutAtItsScore) {
  const Answer whole = ask(rules(), {AnswerStart::Free, 4.0});
  const auto cut = rules();
  const std::string until_score = R"({"Recaption": "A cat", "Overall Score": "2)";
  cut->max_new_tokens =
      static_cast<int>(tokenizer_->encode(until_score, SpecialTokens::AsText).size());
  const Answer answer = ask(cut, {AnswerStart::Free, 4.0});
  EXPECT_EQ(answer.text, until_score);
  EXPECT_EQ(answer.score_expected, whole.score_expected);
  EXPECT_EQ(answer.score_forced, whole.score_forced);
}

TEST_F(AnswerGuideTest, ForcesARewrite) {
  answers_[0].second = 0.01;  // left alone it would keep
  EXPECT_TRUE(ask(rules(), {}).text.starts_with(R"({"Overall Score")"));
  EXPECT_EQ(ask(rules(), {AnswerStart::ForceRecaption, {}}).text,
            R"({"Recaption": "A cat", "Overall Score": "2<Overall>)");
}

TEST_F(AnswerGuideTest, ScoresAPairThatWouldBeRewrittenBehindAForcedKey) {
  const Answer answer = ask(rules(), {AnswerStart::Free, 4.0});
  EXPECT_NEAR(answer.score_forced, 0.5 * 8 + 0.375 * 10 + 0.125 * 1, 1e-4);
  EXPECT_NEAR(answer.score_expected, 2.0, 1e-4);
  EXPECT_EQ(answer.asked_recaption, "");
}

TEST_F(AnswerGuideTest, AsksForARewriteOfAKeptPairBelowTheThreshold) {
  answers_[0].second = 0.01;
  EXPECT_EQ(ask(rules(), {AnswerStart::Free, 4.0}).asked_recaption, "");
  const Answer answer = ask(rules(), {AnswerStart::Free, 9.5});
  EXPECT_TRUE(answer.text.starts_with(R"({"Overall Score")"));
  EXPECT_TRUE(answer.asked_recaption.starts_with(R"({"Recaption": "A cat", )"));
}

TEST_F(AnswerGuideTest, BeginsARewriteOnlyWhereItIsAsSureAsTheKeysAsk) {
  const auto sure = rules();
  sure->keys.rewrite_above = 0.7;
  const Answer kept = ask(sure, {});
  EXPECT_EQ(kept.text, ask(rules(), {AnswerStart::ForceScore, {}}).text);
  EXPECT_NEAR(kept.p_rewrite, 0.6, 1e-6);
  sure->keys.rewrite_above = 0.5;
  EXPECT_EQ(ask(sure, {}).ids, ask(rules(), {}).ids);
  answers_[0].second = 0.1;  // of 0.5: left alone it would keep
  sure->keys.rewrite_above = 0.1;
  EXPECT_EQ(ask(sure, {}).text, R"({"Recaption": "A cat", "Overall Score": "2<Overall>)");
}

TEST_F(AnswerGuideTest, GivesNoScoreWhereNoneIsWritten) {
  answers_ = {{"a score of 7", 1.0}};
  const Answer answer = ask(rules(), {});
  EXPECT_EQ(answer.score_expected, -1.0);
  EXPECT_EQ(answer.text, "a score of 7");
  EXPECT_LT(answer.p_rewrite, 1e-6);
}

TEST_F(AnswerGuideTest, FailsItsPairOnLogitsThatAreNoNumbers) {
  AnswerGuide guide(rules(), {});
  const std::vector<float> logits(static_cast<std::size_t>(tokenizer_->size()), NAN);
  EXPECT_THROW(guide.next({logits.data(), 1, tokenizer_->size()}), SampleError);
}

TEST_F(AnswerGuideTest, SaysTheSameWithoutDraftsInMoreSteps) {
  const auto with = rules();
  const auto without = rules();
  without->drafts = AnswerDrafts();
  const auto steps = [&](const std::shared_ptr<AnswerRules>& by, AnswerOrder order,
                         Answer& answer) {
    AnswerGuide guide(by, order);
    ScriptedModel model(tokenizer_, answers_);
    model.run(guide);
    answer = guide.take_answer();
    return model.num_steps();
  };
  answers_.emplace_back(R"({"Recaption": "A \"cat\"" ,"Overall Score": "3<Overall>"})", 0);
  answers_.emplace_back(R"({"Overall Points": "3<Overall>"})", 0);
  answers_.emplace_back(R"({"Overall Score": "7 <Overall>"})", 0);
  for (std::size_t favourite = 0; favourite < answers_.size(); ++favourite) {
    answers_[favourite].second = 5;
    for (const AnswerStart start :
         {AnswerStart::Free, AnswerStart::ForceRecaption, AnswerStart::ForceScore}) {
      for (const bool full : {false, true}) {
        with->full = without->full = full;
        Answer fast;
        Answer slow;
        const int few = steps(with, {start, 4.0}, fast);
        const int many = steps(without, {start, 4.0}, slow);
        EXPECT_EQ(fast.ids, slow.ids);
        EXPECT_EQ(fast.text, slow.text);
        EXPECT_EQ(fast.asked_recaption, slow.asked_recaption);
        EXPECT_EQ(fast.score_expected, slow.score_expected);
        EXPECT_EQ(fast.score_forced, slow.score_forced);
        EXPECT_EQ(fast.p_rewrite, slow.p_rewrite);
        const bool is_regular = favourite < 2 && start == AnswerStart::Free;
        EXPECT_LE(few, is_regular ? many - 4 : many);
      }
    }
    answers_[favourite].second = 0.01;
  }
}

TEST_F(AnswerGuideTest, NeverKeepsMoreTokensThanItAnnounces) {
  const auto few = rules();
  few->max_new_tokens = 6;
  for (const double rewrite_share : {0.01, 0.99}) {
    answers_[0].second = rewrite_share;
    for (const AnswerStart start :
         {AnswerStart::Free, AnswerStart::ForceRecaption, AnswerStart::ForceScore}) {
      AnswerGuide guide(few, {start, 11.0});
      const std::int64_t most = ScriptedModel(tokenizer_, answers_).run(guide);
      EXPECT_GT(most, 0);
      EXPECT_LE(most, few->most_tokens());
    }
  }
}

}  // namespace
}  // namespace aitqe
