#include "aitqe/contrast/training_record.h"

#include <gmock/gmock.h>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

TEST(TrainingRecord, IsReadBackAsItWasWritten) {
  TrainingRecord record;
  record.source_key = "00012";
  record.is_good = false;
  record.flaw = "near_miss";
  record.detail = "the caption of another picture";
  record.assessment.recaption = "a \"red\" apple";
  record.assessment.scores = {2, 8, 2, 2, 2, kNoScore};
  record.assessment.explanations.overall = "It is another apple.";
  const TrainingRecord read = TrainingRecord::from_json(record.to_json());
  EXPECT_EQ(read.to_json(), record.to_json());
  EXPECT_EQ(read.source_key, "00012");
  EXPECT_FALSE(read.is_good);
  EXPECT_EQ(read.assessment.recaption, record.assessment.recaption);
  EXPECT_EQ(read.assessment.scores.text_chart_description, kNoScore);
}

TEST(TrainingRecord, RefusesOtherFiles) {
  const auto refused = [](const char* text) {
    EXPECT_THROW(TrainingRecord::from_json(text), SampleError) << text;
  };
  refused("");
  refused("[]");
  refused("{}");
  refused(R"({"schema": "aitqe.contrast/2"})");
  refused(R"({"schema": "aitqe.contrast/1", "source_key": 7})");
  refused(R"({"schema": "aitqe.contrast/1", "source_key": "a", "label": "good", "scores": 1})");
}

}  // namespace
}  // namespace aitqe
