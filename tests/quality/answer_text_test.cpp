#include "aitqe/quality/answer_text.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

Assessment rewrite() {
  Assessment assessment;
  assessment.recaption = "A \"red\" caf\xC3\xA9\n";
  assessment.scores = {2, 8, 1, 1.2, 2, kNoScore};
  assessment.explanations.overall = "It speaks of another picture.";
  return assessment;
}

TEST(RenderAnswer, PutsTheRecaptionFirstAndTheEndMarkBehindTheOverallScore) {
  EXPECT_EQ(
      render_answer(rewrite(), AnswerKeys()),
      "{\"Recaption\": \"A \\\"red\\\" caf\xC3\xA9\\n\", \"Overall Score\": \"2<Overall>\", "
      "\"Overall Explanation\": \"It speaks of another picture.\", \"Text Quality Score\": 8, "
      "\"Image-Text Matching Score\": 1, \"Object Detail Score\": 1, "
      "\"Semantic Understanding Score\": 2}");
}

TEST(RenderAnswer, KeepsStartWithTheScore) {
  Assessment keep;
  keep.scores.overall = 9;
  EXPECT_EQ(render_answer(keep, AnswerKeys()), "{\"Overall Score\": \"9<Overall>\"}");
}

TEST(RenderAnswer, IsReadBackByTheParser) {
  const Assessment written = rewrite();
  const Assessment read = parse_answer(render_answer(written, AnswerKeys()), AnswerKeys());
  EXPECT_EQ(read.recaption, written.recaption);
  EXPECT_EQ(read.scores.overall, 2);
  EXPECT_EQ(read.scores.object_detail, 1);
  EXPECT_EQ(read.scores.text_chart_description, kNoScore);
  EXPECT_EQ(read.explanations.overall, written.explanations.overall);
}

}  // namespace
}  // namespace aitqe
