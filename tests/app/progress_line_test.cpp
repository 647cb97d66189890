#include "app/progress_line.h"

#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

TEST(DescribeProgress, TellsPairsRateRewritesFailuresAndTimeLeft) {
  Progress progress;
  progress.num_shards = 5;
  progress.shards_done = 1;
  progress.pairs = 12345;
  progress.rewritten = 1235;
  progress.failed = 7;
  progress.work_done = 1000;
  progress.work_total = 3000;
  EXPECT_EQ(describe_progress(progress, 100),
            "shard 2/5  12,345 pairs  123.5 pairs/s  10.0 % rewritten  7 failed  3m 20s left");
}

TEST(DescribeProgress, GoesByTheAnswersThatWaitBehindALongOne) {
  Progress progress;
  progress.num_shards = 1;
  progress.pairs = 100;
  progress.answered = 1000;
  progress.work_done = 500;  // of the hundred
  progress.work_total = 10000;
  EXPECT_EQ(describe_progress(progress, 100),
            "shard 1/1  100 pairs  10.0 pairs/s  0.0 % rewritten  0 failed  1m 40s left");
}

TEST(DescribeProgress, PromisesNothingWhereTheSizeIsNotKnown) {
  Progress progress;
  progress.num_shards = 1;
  EXPECT_EQ(describe_progress(progress, 0),
            "shard 1/1  0 pairs  0.0 pairs/s  0.0 % rewritten  0 failed");
}

TEST(DescribeProgress, TellsOfNoShardsWhereNoneAreCounted) {
  Progress progress;
  progress.pairs = 10;
  progress.work_done = 1;
  progress.work_total = 4;
  EXPECT_EQ(describe_progress(progress, 10),
            "10 pairs  1.0 pairs/s  0.0 % rewritten  0 failed  30s left");
}

TEST(DescribeProgress, CountsTheRateOfATrainingFromWhereItWentOn) {
  TrainProgress progress;
  progress.num_steps = 5000;
  progress.steps_done_before = 1000;
  progress.steps_done = 1200;
  progress.stage = 1;
  progress.loss = 1.25;
  EXPECT_EQ(describe_progress(progress, 100),
            "stage 2  step 1,200/5,000  loss 1.2500  2.00 steps/s  31m 40s left");
}

}  // namespace
}  // namespace aitqe::app
