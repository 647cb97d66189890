#include "aitqe/eval/audit.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace aitqe {
namespace {

using ::testing::HasSubstr;

std::vector<TrialResult> own_captions() {
  std::vector<TrialResult> results;
  for (int i = 0; i < 100; ++i) {
    TrialResult result;
    result.key = std::to_string(i);
    result.kind = i % 2 == 0 ? kGoodTrial : kShippedTrial;
    result.caption = i < 60 ? "two words" : "this caption has quite a few more words";
    if (i >= 90) result.caption = "\xE7\x8C\xAB\xE3\x81\xAE\xE5\x86\x99\xE7\x9C\x9F";
    result.score = 1 + 0.08 * i;
    result.p_rewrite = 0.5;
    result.rewrites = i < 20;
    result.image_width_px = i < 50 ? 100 : 600;
    result.image_height_px = 700;
    results.push_back(result);
  }
  return results;
}

TEST(Audit, GroupsCaptionsAndFindsTheThresholdForAWantedRate) {
  const Audit report = audit(own_captions(), 0.25, 1);
  EXPECT_NEAR(report.threshold, 1 + 0.08 * 25, 1e-9);
  int below = 0;
  for (const TrialResult& result : own_captions()) below += result.score < report.threshold ? 1 : 0;
  EXPECT_EQ(below, 25);

  EXPECT_EQ(report.by_words[0].num_captions, 70);  // 60 of two words, 10 without spaces
  EXPECT_EQ(report.by_words[2].num_captions, 30);
  EXPECT_NEAR(report.by_words[2].mean_score, 1 + 0.08 * 74.5, 1e-9);
  EXPECT_EQ(report.by_script[1].num_captions, 10);
  EXPECT_EQ(report.by_image_side[0].num_captions, 50);
  EXPECT_NEAR(report.by_image_side[0].rewritten, 0.4, 1e-9);
  EXPECT_EQ(report.by_image_side[3].num_captions, 50);
}

TEST(Audit, SaysItInWordsAndAsJson) {
  const Audit report = audit(own_captions(), 0.25, 1);
  EXPECT_THAT(render_audit(report), HasSubstr("--rewrite-when 'score<3.0000'"));
  EXPECT_EQ(nlohmann::json::parse(audit_to_json(report)).at("by_words").size(), 5U);
  EXPECT_EQ(audit({}, 0.5, 1).threshold, 0);
}

}  // namespace
}  // namespace aitqe
