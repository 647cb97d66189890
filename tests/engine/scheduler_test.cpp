#include "aitqe/engine/scheduler.h"

#include <gtest/gtest.h>

#include <vector>

namespace aitqe {
namespace {

constexpr SchedulerLimits kLimits{4, 100, 1000};

Step plan(const std::vector<Waiting>& waiting, int running, std::int64_t kv_in_use, bool ended,
          SchedulerLimits limits = kLimits) {
  return plan_step({waiting, running, kv_in_use, ended}, limits);
}

TEST(PlanStep, PullsUntilAStepIsFull) {
  EXPECT_EQ(plan({}, 0, 0, false), (Step{Step::Kind::Pull, 0}));
  EXPECT_EQ(plan({{30, 50}}, 0, 0, false), (Step{Step::Kind::Pull, 0}));
  EXPECT_EQ(plan({{30, 50}, {70, 90}}, 0, 0, false), (Step{Step::Kind::Prefill, 2}));
}

TEST(PlanStep, RunsWhatIsThereWhenTheInputHasEnded) {
  EXPECT_EQ(plan({{30, 50}}, 0, 0, true), (Step{Step::Kind::Prefill, 1}));
  EXPECT_EQ(plan({}, 2, 100, true), (Step{Step::Kind::Decode, 0}));
  EXPECT_EQ(plan({}, 0, 0, true), (Step{Step::Kind::Stop, 0}));
}

TEST(PlanStep, TakesPromptsInOrderUpToTokensAndPlaces) {
  EXPECT_EQ(plan({{60, 70}, {60, 70}, {10, 20}}, 0, 0, true), (Step{Step::Kind::Prefill, 1}));
  const std::vector<Waiting> small(9, Waiting{1, 2});
  EXPECT_EQ(plan(small, 0, 0, true), (Step{Step::Kind::Prefill, 4}));
  EXPECT_EQ(plan(small, 3, 6, true), (Step{Step::Kind::Prefill, 1}));
  EXPECT_EQ(plan(small, 4, 8, true), (Step{Step::Kind::Decode, 0}));
}

TEST(PlanStep, LetsALongPromptRunAlone) {
  EXPECT_EQ(plan({{500, 600}, {1, 2}}, 0, 0, true), (Step{Step::Kind::Prefill, 1}));
}

TEST(PlanStep, KeepsTheCacheWithinItsLimitButAlwaysRunsOne) {
  EXPECT_EQ(plan({{10, 600}, {10, 600}}, 0, 0, true), (Step{Step::Kind::Prefill, 1}));
  EXPECT_EQ(plan({{10, 600}}, 1, 600, true), (Step{Step::Kind::Decode, 0}));
  EXPECT_EQ(plan({{10, 5000}}, 0, 0, true), (Step{Step::Kind::Prefill, 1}));
}

TEST(PlanStep, WaitsForAWorthwhileShareOfPlaces) {
  const SchedulerLimits many{16, 1000, 100000};
  const std::vector<Waiting> waiting(8, Waiting{10, 20});
  EXPECT_EQ(plan(waiting, 15, 0, true, many), (Step{Step::Kind::Decode, 0}));
  EXPECT_EQ(plan(waiting, 12, 0, true, many), (Step{Step::Kind::Prefill, 4}));
}

}  // namespace
}  // namespace aitqe
