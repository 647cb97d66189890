#include "app/stall_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace aitqe::app {
namespace {

using testing::HasSubstr;

TEST(DescribeStall, NamesStageShardAndPair) {
  Activity activity;
  EXPECT_EQ(describe_stall(activity, 60), "nothing has moved for 1m 00s: no stage is at work");
  const auto read = Activity::begin(&activity, RunStage::Read, "00003", "000041");
  const auto write = Activity::begin(&activity, RunStage::Write, "00003", "000012");
  EXPECT_EQ(describe_stall(activity, 60),
            "nothing has moved for 1m 00s: stuck in stage read of shard 00003, behind pair "
            "\"000041\": the disk, command or server of the input sends nothing");
}

TEST(DescribeStall, NamesThePairAtHandInOtherStages) {
  Activity activity;
  auto doing = Activity::begin(&activity, RunStage::Write, "00003", "000012");
  EXPECT_THAT(describe_stall(activity, 5),
              HasSubstr("stage write of shard 00003, at pair \"000012\""));
  doing = Activity::begin(&activity, RunStage::Read, "00004", "");
  EXPECT_THAT(describe_stall(activity, 5), HasSubstr("of shard 00004, before its first pair: "));
  doing = Activity::begin(&activity, RunStage::Commit, "00004", "");
  EXPECT_THAT(describe_stall(activity, 5), HasSubstr("stage commit of shard 00004: the disk"));
}

TEST(StallWatch, StopsARunThatStandsStillAndGivesUpOneThatDoesNotEnd) {
  Progress progress;
  const auto stuck = Activity::begin(&progress.activity, RunStage::Read, "00003", "");
  std::promise<void> gave_up;
  const StallWatch watch(progress, {/*timeout_s=*/0.05, /*grace_s=*/0.05},
                         [&gave_up] { gave_up.set_value(); });
  gave_up.get_future().wait();
  EXPECT_TRUE(progress.has_stalled);
  EXPECT_TRUE(progress.stop_requested);
}

TEST(StallWatch, LeavesARunAloneThatMovesOn) {
  Progress progress;
  const StallWatch watch(progress, {/*timeout_s=*/0.5, /*grace_s=*/0.5}, [] { FAIL(); });
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  while (std::chrono::steady_clock::now() < end) {
    Activity::begin(&progress.activity, RunStage::Read, "00003", "").end();
  }
  EXPECT_FALSE(progress.has_stalled);
}

}  // namespace
}  // namespace aitqe::app
