#include "aitqe/pipeline/enhance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "aitqe/base/error.h"
#include "aitqe/data/journal.h"
#include "aitqe/data/webdataset.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/tar.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::read_bytes;
using aitqe::test::reference_dir;
using aitqe::test::source_dir;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

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
  EXPECT_TRUE(fs::exists(options_.output_folder.work_folder() / "hard-00000.tar"));
  EXPECT_TRUE(fs::exists(options_.output_folder.work_folder() / "_aitqe/run.json"));
  const std::string rows =
      read_bytes(options_.output_folder.work_folder() / "hard-00000.aitqe.jsonl");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 166);
}

TEST_F(EnhanceTest, LeavesADoneShardAloneAndCountsIt) {
  enhance(options_, model_, progress_);
  const auto written = fs::last_write_time(options_.output_folder.work_folder() / "hard-00000.tar");
  const EnhanceResult again = enhance(options_, model_, progress_);
  EXPECT_EQ(again.shards_done, 0);
  EXPECT_EQ(progress_.work_total, 0);  // nothing was left to do
  EXPECT_EQ(again.shards_done_before, 1);
  EXPECT_EQ(again.summary.read, 166);
  EXPECT_EQ(fs::last_write_time(options_.output_folder.work_folder() / "hard-00000.tar"), written);
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
  EXPECT_FALSE(fs::exists(options_.output_folder.work_folder() / "hard-00000.tar"));
}

/// Lets `num_pairs` be answered and stops, as a signal would.
EnhanceResult stop_after(std::int64_t num_pairs, const EnhanceOptions& options,
                         const LoadedModel& model) {
  Progress progress;
  std::jthread watch([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && progress.pairs < num_pairs) std::this_thread::yield();
    progress.stop_requested = true;
  });
  return enhance(options, model, progress);
}

TEST_F(EnhanceTest, GoesOnWhereItWasStoppedToTheSameBytes) {
  EnhanceOptions whole = options_;
  whole.output_folder = folder_.path() / "whole";
  enhance(whole, model_, progress_);
  for (const std::int64_t batch_pairs : {0, 30}) {
    options_.judge.batch_pairs = batch_pairs;
    options_.output_folder = folder_.path() / ("stopped-" + std::to_string(batch_pairs));
    EXPECT_TRUE(stop_after(40, options_, model_).stopped);
    EXPECT_TRUE(fs::exists(options_.output_folder.work_folder() / "_aitqe/journal/hard-00000"));
    const EnhanceResult rest = enhance(options_, model_, progress_);
    EXPECT_GT(rest.pairs_resumed, 0);
    EXPECT_LT(rest.pairs_resumed, 166);
    EXPECT_FALSE(fs::exists(options_.output_folder.work_folder() / "_aitqe/journal"));
    for (const char* name : {"hard-00000.tar", "hard-00000.aitqe.jsonl"}) {
      EXPECT_EQ(read_bytes(options_.output_folder.work_folder() / name),
                read_bytes(whole.output_folder.work_folder() / name))
          << name;
    }
  }
}

TEST_F(EnhanceTest, AsksAgainWhereTheInputIsNoLongerTheSame) {
  const fs::path shard = folder_.path() / "copy.tar";
  fs::copy_file(options_.shards[0].url, shard);
  options_.shards = expand_inputs({shard.string()});
  stop_after(40, options_, model_);
  fs::last_write_time(shard, fs::last_write_time(shard) + std::chrono::seconds(1));
  EXPECT_EQ(enhance(options_, model_, progress_).pairs_resumed, 0);
}

TEST_F(EnhanceTest, LeavesAShardToTheRunThatIsAtIt) {
  fs::create_directories(options_.output_folder.work_folder());
  const auto other =
      Journal::open(options_.output_folder.work_folder(), "hard-00000", "another run");
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_EQ(result.shards_elsewhere, 1);
  EXPECT_EQ(result.summary.read, 0);
  EXPECT_EQ(outcome(result, 1.0), ErrorCategory::Resumable);
  EXPECT_FALSE(fs::exists(options_.output_folder.work_folder() / "hard-00000.tar"));
}

/// Shards of 1, 0, 40 and 3 pairs: fewer and more than are judged at once.
std::vector<ShardRef> small_shards(const fs::path& folder, const std::string& from) {
  std::vector<ShardRef> shards;
  const auto source = FileSource::open(from);
  LossLog losses;
  TarReader members(*source, losses, {});
  SampleReader samples(members);
  for (const int num_pairs : {1, 0, 40, 3}) {
    const std::string name = "small-" + std::to_string(shards.size());
    AtomicFile file(folder / (name + ".tar"));
    TarWriter tar([&](std::string_view bytes) { file.write(bytes); });
    for (int i = 0; i < num_pairs; ++i) {
      const Sample sample = *samples.next();
      for (const Member& member : sample.members)
        tar.add(member.name, member.bytes, member.metadata);
    }
    tar.finish();
    file.commit();
    shards.push_back({file.path().string(), name});
  }
  return shards;
}

TEST_F(EnhanceTest, TakesManySmallShardsAsOneStream) {
  options_.shards = small_shards(folder_.path(), options_.shards[0].url);
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_EQ(result.shards_done, 4);
  EXPECT_EQ(result.summary.read, 44);
  EXPECT_EQ(progress_.work_done, progress_.work_total);
  for (const ShardRef& shard : options_.shards) {
    EnhanceOptions alone = options_;
    alone.shards = {shard};
    alone.output_folder = folder_.path() / "alone";
    Progress progress;
    enhance(alone, model_, progress);
    for (const char* suffix : {".tar", ".aitqe.jsonl"}) {
      EXPECT_EQ(read_bytes(options_.output_folder.work_folder() / (shard.name + suffix)),
                read_bytes(alone.output_folder.work_folder() / (shard.name + suffix)))
          << shard.name << suffix;
    }
  }
}

TEST_F(EnhanceTest, DoesEveryNthShardOfASharedJob) {
  options_.shards = small_shards(folder_.path(), options_.shards[0].url);
  options_.task = {1, 2};
  EXPECT_EQ(enhance(options_, model_, progress_).summary.read, 0 + 3);
  EXPECT_EQ(pinned_task_count(options_.output_folder), 2);
  options_.task = {0, 3};
  EXPECT_THAT(message_of([&] { check_enhance_options(options_); }),
              HasSubstr("was begun as 2 tasks, this is one of 3"));
  options_.task = {0, 1};
  EXPECT_EQ(enhance(options_, model_, progress_).summary.read, 44);
  EXPECT_EQ(pinned_task_count(options_.output_folder), 2) << "a retry of some tasks needs it";
}

TEST_F(EnhanceTest, ATaskWithoutAShardHasDoneItsPart) {
  options_.task = {5, 8};
  const EnhanceResult result = enhance(options_, model_, progress_);
  EXPECT_EQ(result.summary.read, 0);
  EXPECT_EQ(outcome(result, 1.0), std::nullopt);
}

TEST_F(EnhanceTest, WritesTheSameBytesFromTwoDevices) {
  enhance(options_, model_, progress_);
  ModelOptions two;
  two.folder = random_model();
  two.dtype = "f32";
  two.device = "cpu,cpu";
  const LoadedModel on_two = load_model(two);
  EnhanceOptions other = options_;
  other.output_folder = folder_.path() / "two";
  for (const std::int64_t batch_pairs : {0, 16}) {
    other.judge.batch_pairs = batch_pairs;
    other.overwrite = true;
    enhance(other, on_two, progress_);
    for (const char* name : {"hard-00000.tar", "hard-00000.aitqe.jsonl"}) {
      EXPECT_EQ(read_bytes(other.output_folder.work_folder() / name),
                read_bytes(options_.output_folder.work_folder() / name))
          << name;
    }
  }
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
  const std::string rows =
      read_bytes(options_.output_folder.work_folder() / "hard-00000.aitqe.jsonl");
  options_.overwrite = true;
  options_.reading.num_workers = 3;
  enhance(options_, model_, progress_);
  EXPECT_EQ(read_bytes(options_.output_folder.work_folder() / "hard-00000.aitqe.jsonl"), rows);
}

TEST_F(EnhanceTest, ScoresWithoutWritingShards) {
  options_.write_shards = false;
  enhance(options_, model_, progress_);
  EXPECT_FALSE(fs::exists(options_.output_folder.work_folder() / "hard-00000.tar"));
  EXPECT_TRUE(fs::exists(options_.output_folder.work_folder() / "hard-00000.aitqe.jsonl"));
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
