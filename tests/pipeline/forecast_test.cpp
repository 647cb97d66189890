#include "aitqe/pipeline/forecast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/tar.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

class ForecastTest : public ::testing::Test {
 protected:
  ForecastTest() { options_.output_folder = folder_.path() / "out"; }

  /// A shard of pairs with captions of `bytes_per_pair`.
  void add_shard(int num_pairs, std::size_t bytes_per_pair) {
    const std::string name = "shard-" + std::to_string(options_.shards.size());
    AtomicFile file(folder_.path() / (name + ".tar"));
    TarWriter tar([&](std::string_view bytes) { file.write(bytes); });
    for (int i = 0; i < num_pairs; ++i) {
      tar.add(std::to_string(i) + ".txt", std::string(bytes_per_pair, 'a'), {});
    }
    tar.finish();
    file.commit();
    options_.shards.push_back({file.path().string(), name});
  }

  TemporaryFolder folder_;
  EnhanceOptions options_;
};

TEST_F(ForecastTest, CountsThePairsOfSmallShards) {
  for (const int count : {1, 20, 300}) add_shard(count, 100);
  const InputSurvey survey = survey_input(options_);
  EXPECT_EQ(survey.num_pairs, 321);
  EXPECT_EQ(survey.pairs_of_shard.at("shard-1"), 20);
  EXPECT_EQ(survey.looked_at.size(), 3U);
}

TEST_F(ForecastTest, TellsThePairsOfManyShardsFromSomeOfThem) {
  int num_pairs = 0;
  for (int i = 0; i < 100; ++i) {
    const int count = 5 + i % 7;
    num_pairs += count;
    add_shard(count, static_cast<std::size_t>(200 + 300 * (i % 3)));
  }
  const InputSurvey survey = survey_input(options_);
  EXPECT_EQ(survey.looked_at.size(), 32U);
  EXPECT_NEAR(survey.num_pairs, num_pairs, 0.1 * num_pairs);
}

TEST_F(ForecastTest, TakesLimitAndSampleIntoAccount) {
  add_shard(200, 100);
  options_.reading.sampling.rate = 0.25;
  EXPECT_EQ(survey_input(options_).num_pairs, 50);
  options_.reading.sampling.limit = 30;
  EXPECT_EQ(survey_input(options_).num_pairs, 30);
}

TEST_F(ForecastTest, SaysWhatItCannotTell) {
  options_.shards = {{"pipe:cat x.tar", "x"}};
  EXPECT_THAT(message_of([&] { survey_input(options_); }), HasSubstr("pipe:cat x.tar: its size"));
  options_.shards.clear();
  add_shard(0, 0);
  EXPECT_THAT(message_of([&] { survey_input(options_); }), HasSubstr("no pair"));
}

TEST_F(ForecastTest, RunsAPartOfTheInputAndLeavesNothingBehind) {
  options_.shards =
      expand_inputs({(aitqe::test::source_dir() / "examples/pairs-00000.tar").string()});
  ModelOptions model_options;
  model_options.folder = aitqe::test::reference_dir() / "drop-first-mixed";
  const LoadedModel model = load_model(model_options);
  options_.judge.limits = choose_limits(model, 4, 0);
  options_.judge.max_new_tokens = 2;
  const Forecast found = forecast(options_, model, /*measure_s=*/0.1);
  EXPECT_EQ(found.pairs_expected, 300);
  EXPECT_GE(found.pairs_measured, 16);
  EXPECT_DOUBLE_EQ(found.run_s, found.pairs_expected / found.pairs_per_s);
  EXPECT_FALSE(fs::exists(options_.output_folder));
  const auto json = nlohmann::json::parse(forecast_to_json(found));
  EXPECT_EQ(json.at("pairs_expected"), 300);
}

}  // namespace
}  // namespace aitqe
