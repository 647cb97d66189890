#include "app/metrics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;
using testing::HasSubstr;
using testing::Not;

class MetricsTextTest : public ::testing::Test {
 protected:
  std::string text(std::optional<int> exit_code = {}) const {
    const system_clock::time_point start(seconds(1'700'000'000));
    return metrics_text(progress_, labels_, {start, start + seconds(50), exit_code});
  }

  Progress progress_;
  MetricsLabels labels_{"out", 3};
};

TEST_F(MetricsTextTest, CountsPairsByDecisionAndFailuresByStageAndReason) {
  progress_.pairs = 100;
  progress_.rewritten = 20;
  progress_.failed = 3;
  progress_.suspects = 7;
  for (int i = 0; i < 2; ++i) progress_.failures.add("image: truncated_image");
  progress_.failures.add("answer: answer_cut");
  EXPECT_THAT(text(),
              HasSubstr("# TYPE aitqe_pairs_total counter\n"
                        "aitqe_pairs_total{output=\"out\",task=\"3\",decision=\"keep\"} 77\n"
                        "aitqe_pairs_total{output=\"out\",task=\"3\",decision=\"rewrite\"} 20\n"
                        "aitqe_pairs_total{output=\"out\",task=\"3\",decision=\"failed\"} 3\n"));
  EXPECT_THAT(text(), HasSubstr("stage=\"answer\",reason=\"answer_cut\"} 1\n"));
  EXPECT_THAT(text(), HasSubstr("stage=\"image\",reason=\"truncated_image\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("aitqe_injection_suspects_total{output=\"out\",task=\"3\"} 7\n"));
  EXPECT_THAT(text(), HasSubstr("aitqe_pairs_per_second{output=\"out\",task=\"3\"} 2.000000\n"));
}

TEST_F(MetricsTextTest, TellsBytesStagesShardsAndTimes) {
  progress_.activity.add_bytes_read(4096);
  Activity::begin(&progress_.activity, RunStage::Commit, "00000", "").end();
  progress_.num_shards = 5;
  progress_.shards_done = 2;
  progress_.work_done = 1;
  progress_.work_total = 4;
  EXPECT_THAT(text(), HasSubstr("aitqe_input_bytes_total{output=\"out\",task=\"3\"} 4096\n"));
  for (const char* stage : {"open", "read", "prepare", "model", "write", "commit"}) {
    EXPECT_THAT(text(), HasSubstr("stage=\"" + std::string(stage) + "\"} 0.0"));
  }
  EXPECT_THAT(text(), HasSubstr("aitqe_shards{output=\"out\",task=\"3\"} 5\n"));
  EXPECT_THAT(text(), HasSubstr("aitqe_shards_done{output=\"out\",task=\"3\"} 2\n"));
  EXPECT_THAT(text(), HasSubstr("aitqe_done_ratio{output=\"out\",task=\"3\"} 0.250000\n"));
  EXPECT_THAT(text(), HasSubstr("aitqe_start_time_seconds{output=\"out\",task=\"3\"} 1700000000."));
}

TEST_F(MetricsTextTest, TellsTheExitStatusOnceThereIsOne) {
  EXPECT_THAT(text(), Not(HasSubstr("aitqe_exit_code")));
  EXPECT_THAT(text(), HasSubstr("aitqe_running{output=\"out\",task=\"3\"} 1\n"));
  EXPECT_THAT(text(75), HasSubstr("aitqe_exit_code{output=\"out\",task=\"3\"} 75\n"));
  EXPECT_THAT(text(75), HasSubstr("aitqe_running{output=\"out\",task=\"3\"} 0\n"));
}

TEST_F(MetricsTextTest, EscapesWhatALabelMayNotHold) {
  labels_.output = "a \"b\"\\c\nd\xFF";
  EXPECT_THAT(text(), HasSubstr(R"(output="a \"b\"\\c\nd)"
                                "\xEF\xBF\xBD\""));
}

}  // namespace
}  // namespace aitqe::app
