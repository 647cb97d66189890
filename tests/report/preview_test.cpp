#include "aitqe/report/preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "made_folder.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// Pairs "0", "1", ... with rising scores, of which the first `rewritten` are rewritten.
std::vector<ReportRow> judged_rows(int count, int rewritten) {
  std::vector<ReportRow> rows = kept_rows("a", count);
  for (int i = 0; i < rewritten; ++i) {
    ReportRow& row = rows[static_cast<std::size_t>(i)];
    row.decision = Decision::Rewrite;
    row.reason = "score_below";
    row.score_expected = 1 + 0.1 * i;
    row.p_rewrite = 0.9 - 0.1 * i;
    row.caption_out = "new \x1B[31mwords " + row.key;
  }
  return rows;
}

Sample sample_with_image() {
  Sample sample{"k", 0, {}, {}};
  sample.members.push_back({"k.png",
                            "png",
                            test::read_bytes(AITQE_SOURCE_DIR "/tests/data/image/png-rgb-trns.png"),
                            {},
                            0});
  return sample;
}

Preview preview_of(const std::vector<ReportRow>& rows, const PreviewScope& scope,
                   const std::string& rule = "score<4", bool with_images = false) {
  RunFile run;
  run.config = kConfig.dump();
  run.shards = {"a"};
  run.command = "aitqe enhance in -o out --dry-run";
  PreviewBuilder builder({run, RewriteRule::parse(rule), with_images});
  const Sample sample = sample_with_image();
  for (const ReportRow& row : rows) builder.add(row, sample);
  return builder.finish(scope, {{"a", "truncated_input", 7, 1}});
}

std::vector<std::string> keys(const std::vector<ReportRow>& rows) {
  std::vector<std::string> found;
  for (const ReportRow& row : rows) found.push_back(row.key);
  return found;
}

const PreviewScope kDrawn{true, 0.01, 7, 4000};

TEST(Preview, SaysWhatIsToBeExpectedOfTheWhole) {
  const Preview preview = preview_of(judged_rows(40, 8), kDrawn);
  const auto json = nlohmann::json::parse(preview_to_json(preview));
  EXPECT_EQ(json["random"], true);
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["pairs"], 40);
  EXPECT_EQ(json["pairs_in_input"], 4000);
  EXPECT_EQ(json["rewritten"]["pairs"], 8);
  EXPECT_EQ(json["rewritten"]["share"], 0.2);
  EXPECT_NEAR(json["rewritten"]["low"], 0.105, 0.005);
  EXPECT_NEAR(json["rewritten"]["high"], 0.348, 0.005);
  EXPECT_EQ(json["summary"]["damage"].size(), 1);
  EXPECT_THAT(render_preview(preview, {}), HasSubstr("40 of 4,000 pairs judged, drawn at random"));
  EXPECT_THAT(render_preview(preview, {}), HasSubstr("of all 42"));
}

TEST(Preview, OfTheFirstPairsTellsNothingOfTheOthers) {
  const Preview preview = preview_of(judged_rows(40, 8), {false, 1.0, 0, 4000});
  const auto json = nlohmann::json::parse(preview_to_json(preview));
  EXPECT_EQ(json["rewritten"]["share"], 0.2);
  EXPECT_EQ(json["rewritten"]["low"], -1.0);
  EXPECT_THAT(render_preview(preview, {}), Not(HasSubstr("of all ")));
  EXPECT_THAT(render_preview(preview, {}), HasSubstr("--sample draws at random"));
}

TEST(Preview, ShowsFirstWhatWasNearlyKept) {
  EXPECT_THAT(keys(preview_of(judged_rows(40, 8), kDrawn).border), ElementsAre("7", "6", "5", "4"));
  std::vector<ReportRow> rows = judged_rows(9, 3);
  rows[0].p_rewrite = 0.51;
  std::reverse(rows.begin(), rows.end());
  EXPECT_THAT(keys(preview_of(rows, kDrawn, "model").border), ElementsAre("0", "2", "1"));
}

TEST(Preview, FitsAScreenAndPutsNoControlsOnIt) {
  const std::string text = render_preview(preview_of(judged_rows(40, 20), kDrawn), {});
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 23);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
}

TEST(Preview, HasAPageThatSaysWhatItIs) {
  const std::string page =
      report_to_html(preview_of(judged_rows(40, 8), kDrawn, "score<4", true).report);
  EXPECT_THAT(page, HasSubstr("\"preview\":{\"random\":true"));
  EXPECT_THAT(page, HasSubstr("\"jpeg\":\"/9j/"));
  EXPECT_THAT(report_to_html(preview_of(judged_rows(40, 8), kDrawn).report),
              Not(HasSubstr("\"jpeg\":\"/9j/")));
}

}  // namespace
}  // namespace aitqe
