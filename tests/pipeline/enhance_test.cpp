#include "aitqe/pipeline/enhance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "aitqe/base/error.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::reference_dir;
using aitqe::test::source_dir;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

std::string read(const fs::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

std::string random_model() { return (reference_dir() / "drop-first-mixed").string(); }

class EnhanceTest : public ::testing::Test {
 protected:
  EnhanceTest() {
    ModelOptions model;
    model.folder = random_model();
    model.dtype = "f32";
    model_ = load_model(model);
    options_.shards = expand_inputs({(source_dir() / "tests/data/parity/hard-00000.tar").string()});
    options_.output_folder = folder_.path() / "out";
    options_.judge.max_new_tokens = 4;
    options_.judge.limits = choose_limits(model_, 4, 0);
  }

  TemporaryFolder folder_;
  LoadedModel model_;
  EnhanceOptions options_;
  Progress progress_;
};

TEST_F(EnhanceTest, WritesOneRowPerPairAndCommits) {
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_EQ(result.shards_done, 1);
  EXPECT_EQ(result.summary.read, 166);
  EXPECT_EQ(progress_.pairs, 166);
  EXPECT_EQ(progress_.work_total, static_cast<std::int64_t>(fs::file_size(options_.shards[0].url)));
  EXPECT_EQ(progress_.work_done, progress_.work_total);
  EXPECT_EQ(outcome(result, 100.0), std::nullopt);
  EXPECT_EQ(outcome(result, 1.0),
            ErrorCategory::Damaged);  // random weights answer nothing readable
  EXPECT_TRUE(fs::exists(options_.output_folder / "hard-00000.tar"));
  EXPECT_TRUE(fs::exists(options_.output_folder / "_aitqe/run.json"));
  const std::string rows = read(options_.output_folder / "hard-00000.aitqe.jsonl");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 166);
}

TEST_F(EnhanceTest, LeavesADoneShardAloneAndCountsIt) {
  enhance(options_, model_, progress_);
  const auto written = fs::last_write_time(options_.output_folder / "hard-00000.tar");
  const EnhanceResult again = enhance(options_, model_, progress_);
  EXPECT_EQ(again.shards_done, 0);
  EXPECT_EQ(progress_.work_total, 0);  // nothing was left to do
  EXPECT_EQ(again.shards_done_before, 1);
  EXPECT_EQ(again.summary.read, 166);
  EXPECT_EQ(fs::last_write_time(options_.output_folder / "hard-00000.tar"), written);
}

TEST_F(EnhanceTest, RefusesTheFolderOfAnotherConfiguration) {
  enhance(options_, model_, progress_);
  options_.judge.max_new_tokens = 5;
  EXPECT_THAT(message_of([&] { enhance(options_, model_, progress_); }),
              HasSubstr("another configuration"));
  options_.overwrite = true;
  EXPECT_EQ(enhance(options_, model_, progress_).shards_done, 1);
}

TEST_F(EnhanceTest, LeavesNoShardBehindWhenItIsStopped) {
  progress_.stop_requested = true;
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(outcome(result, 1.0), ErrorCategory::Resumable);
  EXPECT_FALSE(fs::exists(options_.output_folder / "hard-00000.tar"));
}

TEST_F(EnhanceTest, TakesOnlyAsManyPairsAsAsked) {
  options_.reading.sampling.limit = 10;
  EXPECT_EQ(enhance(options_, model_, progress_).summary.read, 10);
}

TEST_F(EnhanceTest, TakesAShareOfThePairsThatDependsOnTheSeedAlone) {
  options_.reading.sampling.rate = 0.3;
  const std::int64_t taken = enhance(options_, model_, progress_).summary.read;
  EXPECT_GT(taken, 20);
  EXPECT_LT(taken, 90);
  const std::string rows = read(options_.output_folder / "hard-00000.aitqe.jsonl");
  options_.overwrite = true;
  options_.reading.num_workers = 3;
  enhance(options_, model_, progress_);
  EXPECT_EQ(read(options_.output_folder / "hard-00000.aitqe.jsonl"), rows);
}

TEST_F(EnhanceTest, ScoresWithoutWritingShards) {
  options_.write_shards = false;
  enhance(options_, model_, progress_);
  EXPECT_FALSE(fs::exists(options_.output_folder / "hard-00000.tar"));
  EXPECT_TRUE(fs::exists(options_.output_folder / "hard-00000.aitqe.jsonl"));
}

TEST_F(EnhanceTest, GoesOnWithTheOtherShardsWhenOneCannotBeOpened) {
  options_.shards.insert(options_.shards.begin(),
                         ShardRef{(folder_.path() / "gone.tar").string(), "gone"});
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_EQ(result.shards_unreadable, 1);
  EXPECT_EQ(result.summary.read, 166);
  EXPECT_EQ(outcome(result, 100.0), ErrorCategory::Damaged);
}

TEST_F(EnhanceTest, WantsTheScoresThatWorstIsChosenFrom) {
  options_.rule = RewriteRule::parse("worst:10%");
  EXPECT_THAT(message_of([&] { check_enhance_options(options_); }), HasSubstr("--scores"));
  options_.scores_folder = folder_.path() / "empty";
  EXPECT_THAT(message_of([&] { check_enhance_options(options_); }),
              HasSubstr("no finished scores"));
}

TEST_F(EnhanceTest, StopsTheRunWhenOutputCannotBeWritten) {
  folder_.write("file", "in the way");
  options_.output_folder = folder_.path() / "file";
  try {
    enhance(options_, model_, progress_);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Output);
  }
}

TEST(Outcome, IsNoInputWhenNothingWasRead) {
  EXPECT_EQ(outcome({}, 1.0), ErrorCategory::NoInput);
  EnhanceResult result;
  result.summary.read = 100;
  result.summary.failed = 1;
  EXPECT_EQ(outcome(result, 1.0), std::nullopt);
  result.summary.failed = 2;
  EXPECT_EQ(outcome(result, 1.0), ErrorCategory::Damaged);
}

}  // namespace
}  // namespace aitqe
