#include "aitqe/pipeline/activity.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace aitqe {
namespace {

TEST(Activity, KnowsWhatWasBegunFirst) {
  Activity activity;
  EXPECT_FALSE(activity.oldest());
  auto first = Activity::begin(&activity, RunStage::Read, "a", "1");
  const auto second = Activity::begin(&activity, RunStage::Model, "b", "2");
  EXPECT_EQ(activity.oldest()->shard, "a");
  EXPECT_EQ(activity.num_ended(), 0);
  first.end();
  EXPECT_EQ(activity.oldest()->stage, RunStage::Model);
  EXPECT_EQ(activity.oldest()->key, "2");
  EXPECT_EQ(activity.num_ended(), 1);
}

TEST(Activity, EndsAnOperationOnceHoweverItIsMoved) {
  Activity activity;
  {
    auto doing = Activity::begin(&activity, RunStage::Write, "a", "1");
    auto moved = std::move(doing);
    doing = Activity::begin(&activity, RunStage::Write, "a", "2");
    moved = std::move(doing);
    EXPECT_EQ(activity.num_ended(), 1);
    EXPECT_EQ(activity.oldest()->key, "2");
  }
  EXPECT_EQ(activity.num_ended(), 2);
  EXPECT_FALSE(activity.oldest());
}

TEST(Activity, AddsUpTheSecondsOfAllThreads) {
  Activity activity;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&activity] {
      for (int j = 0; j < 100; ++j) Activity::begin(&activity, RunStage::Prepare, "a", "").end();
    });
  }
  threads.clear();
  EXPECT_EQ(activity.num_ended(), 400);
  EXPECT_GT(activity.seconds(RunStage::Prepare), 0);
  EXPECT_EQ(activity.seconds(RunStage::Read), 0);
}

TEST(Activity, NotesNothingWhereNobodyWatches) {
  auto doing = Activity::begin(nullptr, RunStage::Read, "a", "1");
  doing.end();
}

TEST(StageName, IsOneWordEach) {
  EXPECT_EQ(stage_name(RunStage::Open), "open");
  EXPECT_EQ(stage_name(RunStage::Commit), "commit");
  EXPECT_EQ(stage_name(RunStage::Load), "load");
}

}  // namespace
}  // namespace aitqe
