#include "aitqe/eval/evaluate.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "support/reference.h"

namespace aitqe {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TrialResult result(const std::string& key, const std::string& kind, double score, bool rewrites,
                   const std::string& source = "farm") {
  TrialResult made;
  made.key = key;
  made.kind = kind;
  made.source = source;
  made.caption = kind;
  made.score = score;
  made.p_rewrite = 1 - score / 10;
  made.rewrites = rewrites;
  return made;
}

TEST(Summarise, ComparesEachKindWithTheGoodCaptionsOfItsImages) {
  const std::vector<TrialResult> results = {
      result("a", "good", 8, false),        result("a", "other_image", 2, true),
      result("b", "good", 7, false),        result("b", "other_image", 7.5, false),
      result("c", "good", 3, true),         result("c", "truncated", 3, true),
      result("a", "control_good", 4, true), result("a", "control_bad", 4, true),
      result("d", "shipped", 1, true)};
  const EvalFigures figures = summarise(results, "", 1);
  EXPECT_EQ(figures.num_good, 3);
  EXPECT_NEAR(figures.kept.value, 2.0 / 3, 1e-9);
  const KindFigures& mismatch = figures.by_kind.at("other_image");
  EXPECT_EQ(mismatch.num_images, 2);
  EXPECT_DOUBLE_EQ(mismatch.by_score.value, 0.75);  // of 8>2, 8>7.5, 7>2, not 7>7.5
  EXPECT_DOUBLE_EQ(mismatch.by_p_rewrite.value, 0.75);
  EXPECT_DOUBLE_EQ(mismatch.rewritten.value, 0.5);
  EXPECT_DOUBLE_EQ(figures.by_kind.at("truncated").by_score.value, 0.5);  // a tie
  EXPECT_DOUBLE_EQ(figures.by_kind.at("shipped").by_score.value, 1.0);
  EXPECT_DOUBLE_EQ(figures.control.value, 0.5);
  EXPECT_FALSE(figures.by_kind.contains("control_good"));
}

TEST(Summarise, KeepsSourcesApartAndCountsFailures) {
  std::vector<TrialResult> results = {result("a", "good", 8, false, "x"),
                                      result("b", "good", 8, true, "y"),
                                      result("c", "good", 8, true, "y")};
  results[2].failure = "image: truncated_image";
  results[2].score = results[2].p_rewrite = -1;
  EXPECT_EQ(summarise(results, "x", 1).num_good, 1);
  EXPECT_EQ(summarise(results, "y", 1).num_good, 1);
  EXPECT_EQ(summarise(results, "y", 1).failed, 1);
  EXPECT_EQ(summarise(results, "", 1).num_good, 2);
}

// Its probabilities are there, but it decided nothing that can be used.
TEST(Summarise, AnAnswerOfNoUseNeitherKeepsNorRewrites) {
  std::vector<TrialResult> results = {result("a", "good", 8, false), result("b", "good", 7, false),
                                      result("a", "other_image", 2, true),
                                      result("b", "other_image", 1, false)};
  results[1].failure = results[3].failure = "answer: cut";
  const EvalFigures figures = summarise(results, "", 1);
  EXPECT_EQ(figures.failed, 2);
  EXPECT_DOUBLE_EQ(figures.kept.value, 0.5);
  EXPECT_DOUBLE_EQ(figures.by_kind.at("other_image").rewritten.value, 0.5);
  EXPECT_DOUBLE_EQ(figures.by_kind.at("other_image").by_score.value, 1.0);
}

TEST(Summarise, WhatCannotBeToldIsNullAndADash) {
  const std::vector<TrialResult> results = {result("a", "good", 8, false)};
  const std::string json = figures_to_json({{"", summarise(results, "", 1)}}, {});
  EXPECT_TRUE(
      nlohmann::json::parse(json).at("sources").at("all").at("control").at("low").is_null());
  EXPECT_THAT(render_figures({{"", summarise(results, "", 1)}}), ContainsRegex("other images +- "));
}

TEST(RunTrials, JudgesTheBundledPairsInOrder) {
  ModelOptions model_options;
  model_options.folder = test::source_dir() / "models/aitqe-tiny";
  model_options.dtype = "f32";
  const LoadedModel model = load_model(model_options);
  EvalOptions options;
  options.shards = expand_inputs({(test::source_dir() / "examples").string()});
  options.limit = 14;
  options.judge.limits = choose_limits(model, 16, 0);
  Progress progress;
  const TrialRun run = run_trials(options, model, progress);
  const std::vector<TrialResult>& results = run.results;
  EXPECT_TRUE(run.skipped.empty());
  EXPECT_EQ(progress.pairs, std::ssize(results));
  EXPECT_EQ(progress.work_total, 14);
  EXPECT_EQ(progress.work_done, 14);
  std::vector<std::string> keys;
  int controls = 0;
  std::size_t failed = 0;  // the tiny model never saw captions like these
  for (const TrialResult& one : results) {
    failed += one.failure.empty() ? 0 : 1;
    if (!one.failure.empty()) continue;
    EXPECT_GE(one.score, 1);
    EXPECT_LE(one.score, 10);
    EXPECT_TRUE(one.p_rewrite >= 0 && one.p_rewrite <= 1);
    EXPECT_EQ(one.rewrites, !one.recaption.empty());
    if (keys.empty() || keys.back() != one.key) keys.push_back(one.key);
    controls += one.kind == kControlGood ? 1 : 0;
  }
  EXPECT_EQ(keys.size(), 14U);
  EXPECT_LT(failed, results.size() / 3);
  EXPECT_GE(controls, 2);  // from the twelfth image on

  const std::string json = figures_to_json({{"", summarise(results, "", 1)}}, run.skipped);
  EXPECT_EQ(nlohmann::json::parse(json).at("sources").at("all").at("good"), 14);
  EXPECT_THAT(render_figures({{"", summarise(results, "", 1)}}), HasSubstr("other_image"));
  EXPECT_EQ(nlohmann::json::parse(trial_to_json(results[0])).at("kind"), "good");
}

}  // namespace
}  // namespace aitqe
