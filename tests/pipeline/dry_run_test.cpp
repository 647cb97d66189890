#include "aitqe/pipeline/dry_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

class DryRunTest : public ::testing::Test {
 protected:
  DryRunTest() {
    options_.output_folder = folder_.path() / "out";
    options_.shards =
        expand_inputs({(aitqe::test::source_dir() / "examples/pairs-00000.tar").string()});
    options_.rule = RewriteRule::parse("always");
    options_.judge.max_new_tokens = 2;
  }

  DryRun run() {
    ModelOptions model_options;
    model_options.folder = aitqe::test::reference_dir() / "drop-first-mixed";
    const LoadedModel model = load_model(model_options);
    options_.judge.limits = choose_limits(model, 4, 0);
    Progress progress;
    return dry_run(options_, model, {/*measure_s=*/0.1, /*with_images=*/false}, progress);
  }

  TemporaryFolder folder_;
  EnhanceOptions options_;
};

TEST_F(DryRunTest, RunsAPartOfTheInputAndLeavesNothingBehind) {
  const DryRun found = run();
  EXPECT_EQ(found.forecast.pairs_expected, 300);
  EXPECT_GE(found.forecast.pairs_measured, 16);
  EXPECT_DOUBLE_EQ(found.forecast.run_s,
                   found.forecast.pairs_expected / found.forecast.pairs_per_s);
  EXPECT_FALSE(fs::exists(options_.output_folder.work_folder()));
  EXPECT_FALSE(found.preview.report.preview->is_random);
  EXPECT_EQ(found.preview.report.summary.read, found.forecast.pairs_measured);
  const auto json = nlohmann::json::parse(dry_run_to_json(found));
  EXPECT_EQ(json.at("schema"), "aitqe.forecast/2");
  EXPECT_EQ(json.at("pairs_expected"), 300);
  EXPECT_EQ(json.at("preview").at("pairs"), found.forecast.pairs_measured);
}

TEST_F(DryRunTest, ASampleIsOfTheWholeInputAndTheOneThatARunWouldTake) {
  options_.reading.sampling.rate = 0.1;
  options_.reading.sampling.seed = 3;
  const DryRun found = run();
  const PreviewScope& scope = *found.preview.report.preview;
  EXPECT_TRUE(scope.is_random);
  EXPECT_EQ(scope.pairs_in_input, 300);
  EXPECT_EQ(found.forecast.pairs_expected, 300);
  const Summary& judged = found.preview.report.summary;
  EXPECT_NEAR(static_cast<double>(judged.read), 30, 16);
  EXPECT_EQ(run().preview.report.summary, judged);
  options_.reading.sampling.seed = 4;
  EXPECT_NE(run().preview.report.summary, judged);
}

TEST_F(DryRunTest, SaysThatNoPairWasDrawn) {
  options_.reading.sampling.rate = 1e-9;
  EXPECT_THAT(message_of([&] { run(); }), HasSubstr("of 300 pairs none was drawn"));
}

}  // namespace
}  // namespace aitqe
