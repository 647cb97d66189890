#include "aitqe/quality/prompt_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(PromptTemplate, IsTheReferencesWithoutAFile) {
  const PromptTemplate found = load_prompt_template("/nonexistent");
  EXPECT_EQ(found.before_caption, "\nEvaluate the caption: ");
  EXPECT_EQ(found.after_caption,
            "\nif score is low, give a short description of the image.\n"
            "Respond using a dictionary structure.");
  EXPECT_EQ(found.keys.recaption_prefix(), "{\"Recaption\": \"");
  EXPECT_EQ(found.keys.score_prefix(), "{\"Overall Score\": \"");
  EXPECT_EQ(found.keys.rewrite_above, std::nullopt);
  EXPECT_EQ(found.keys.max_new_tokens, 384);
}

TEST(PromptTemplate, TakesWhatTheFileSaysAndLeavesTheRest) {
  const PromptTemplate found = parse_prompt_template(
      R"({"prompt": {"before_caption": "Rate: "}, "vision_model_type": "siglip",
          "answer": {"recaption": "Better", "score_end": "</s1>", "max_new_tokens": 8192,
                     "scores": {"overall": "Rating"}, "explanations": {"object_detail": "Why"}},
          "score_scale": {"lowest": 0, "highest": 5.5},
          "decision": {"rewrite_above": 0.75}})",
      "m/aitqe.json");
  EXPECT_EQ(found.before_caption, "Rate: ");
  EXPECT_EQ(found.after_image, "\n");
  EXPECT_EQ(found.keys.recaption, "Better");
  EXPECT_EQ(found.keys.score_end, "</s1>");
  EXPECT_EQ(found.keys.max_new_tokens, 8192);
  EXPECT_EQ(found.keys.scores[0], "Rating");
  EXPECT_EQ(found.keys.scores[1], "Text Quality Score");
  EXPECT_EQ(found.keys.explanations[3], "Why");
  EXPECT_EQ(found.keys.lowest_score, 0.0);
  EXPECT_EQ(found.keys.highest_score, 5.5);
  EXPECT_EQ(found.keys.rewrite_above, 0.75);
}

void expect_refused(const std::string& json, const std::string& message) {
  try {
    parse_prompt_template(json, "m/aitqe.json");
    FAIL() << json;
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Model);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("m/aitqe.json"), HasSubstr(message)));
  }
}

TEST(PromptTemplate, RefusesWhatItDoesNotKnowAndNamesIt) {
  expect_refused("", "not valid JSON");
  expect_refused("[]", "the file must be an object");
  expect_refused(R"({"promt": {}})", "unknown key \"promt\"; known here: answer, decision, prompt");
  expect_refused(R"({"prompt": {"before": ""}})", "unknown key \"prompt.before\"");
  expect_refused(R"({"prompt": []})", "prompt must be an object");
  expect_refused(R"({"prompt": {"after_image": 1}})", "prompt.after_image must be a text");
  expect_refused(R"({"answer": {"scores": {"best": "x"}}})", "unknown key \"answer.scores.best\"");
  expect_refused(R"({"score_scale": {"lowest": "1"}})", "score_scale.lowest must be a number");
  expect_refused(R"({"score_scale": {"lowest": 10}})", "score_scale must have lowest");
  expect_refused(R"({"decision": {"rewrite_above": 1.5}})",
                 "decision.rewrite_above must be from 0");
  expect_refused(R"({"decision": {"rewrite_below": 1}})", "unknown key \"decision.rewrite_below\"");
  expect_refused(R"({"answer": {"max_new_tokens": 1.5}})",
                 "answer.max_new_tokens must be a whole number");
  for (const char* number : {"0", "-1", "8193", "18446744073709551615"}) {
    expect_refused(R"({"answer": {"max_new_tokens": )" + std::string(number) + "}}",
                   "answer.max_new_tokens must be from 1 to 8192");
  }
  expect_refused(R"({"answer": {"recaption": "-"}})", "answer key \"-\"");
  expect_refused(R"({"answer": {"recaption": "overall score"}})", "answer key \"Overall Score\"");
}

}  // namespace
}  // namespace aitqe
