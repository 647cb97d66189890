#include "aitqe/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "made_folder.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

RunReport report_on(const std::vector<std::filesystem::path>& folders, double max_failed = 1.0) {
  ReportProgress progress;
  return make_report(
      {.folders = {folders.begin(), folders.end()}, .max_failed_percent = max_failed}, progress);
}

std::string image_bytes() {
  return test::read_bytes(AITQE_SOURCE_DIR "/tests/data/image/png-rgb-trns.png");
}

TEST(Report, OfACompleteFolderCountsAndSizes) {
  const MadeFolder folder;
  folder.write_run({"a", "b"});
  folder.write_shard("a", kept_rows("a", 3));
  folder.write_shard("b", kept_rows("b", 2));
  const RunReport report = report_on({folder.path()});
  EXPECT_FALSE(report.outcome().has_value());
  EXPECT_EQ(report.shards_done, 2);
  EXPECT_EQ(report.summary.read, 5);
  EXPECT_THAT(report.sizes[0], ElementsAre(Pair("a.tar", 3), Pair("b.tar", 2)));
  EXPECT_EQ(sizes_to_json(report, 0), "{\n  \"a.tar\": 3,\n  \"b.tar\": 2\n}\n");
  EXPECT_THAT(render_report(report, {}), HasSubstr("complete: 2 of 2 shards, 5 pairs"));
}

TEST(Report, OfAMissingShardIsResumable) {
  const MadeFolder folder;
  folder.write_run({"a", "b"});
  folder.write_shard("b", kept_rows("b", 2));
  const RunReport report = report_on({folder.path()});
  EXPECT_EQ(report.outcome(), ErrorCategory::Resumable);
  EXPECT_THAT(report.missing, ElementsAre("a"));
  EXPECT_THAT(render_report(report, {}), HasSubstr("to go on    aitqe enhance in -o out"));
}

TEST(Report, OfAnInputThatCannotBeReadNeedsALook) {
  const MadeFolder folder;
  folder.write_run({"a", "b"});
  folder.write_shard("b", kept_rows("b", 2));
  note_unreadable_shard(folder.path(), "a", "in/a.tar: is a folder");
  const RunReport report = report_on({folder.path()});
  EXPECT_EQ(report.outcome(), ErrorCategory::Damaged);
  EXPECT_THAT(render_report(report, {}), HasSubstr("in/a.tar: is a folder"));
}

TEST(Report, OfAFolderThatPinsNoShardsCannotBeComplete) {
  const MadeFolder folder;
  folder.write_run({});
  folder.write_shard("a", kept_rows("a", 1));
  EXPECT_EQ(report_on({folder.path()}).outcome(), ErrorCategory::Resumable);
}

TEST(Report, OfShardsWithoutPairsIsNoInput) {
  const MadeFolder folder;
  folder.write_run({"a"});
  folder.write_shard("a", {});
  const RunReport report = report_on({folder.path()});
  EXPECT_EQ(report.outcome(), ErrorCategory::NoInput);
  EXPECT_THAT(render_report(report, {}), HasSubstr("empty: 1 of 1 shard, 0 pairs"));
  EXPECT_THAT(report_to_html(report), HasSubstr("\"verdict\":\"empty\""));
}

TEST(Report, TooManyFailuresAreOutOfBudget) {
  const MadeFolder folder;
  folder.write_run({"a"});
  std::vector<ReportRow> rows = kept_rows("a", 10);
  rows[3].decision = Decision::Failed;
  rows[3].reason = "";
  rows[3].failure = {"decode", "truncated_jpeg: words"};
  folder.write_shard("a", rows);
  EXPECT_EQ(report_on({folder.path()}).outcome(), ErrorCategory::Damaged);
  EXPECT_FALSE(report_on({folder.path()}, 10).outcome().has_value());
}

TEST(Report, TellsRewritesThatWereRefused) {
  const MadeFolder folder;
  folder.write_run({"a"});
  std::vector<ReportRow> rows = kept_rows("a", 10);
  rows[1].reason = "rewrite_loop";
  rows[2].reason = rows[3].reason = "rewrite_not_better";
  folder.write_shard("a", rows);
  const RunReport report = report_on({folder.path()});
  EXPECT_EQ(nlohmann::json::parse(report_to_json(report))["refused"], 3);
  EXPECT_THAT(render_report(report, {}), HasSubstr("of these 3 whose rewrite was refused"));
}

TEST(Report, DriftBeyondALimitIsToldAndNeedsALook) {
  const MadeFolder folder;
  folder.write_run({"a"});
  std::vector<ReportRow> rows = kept_rows("a", 10);
  for (std::size_t i = 0; i < 4; ++i) {
    rows[i].decision = Decision::Rewrite;
    rows[i].reason = "model_rewrites";
    rows[i].caption_out = i < 2 ? "the same words" : "others " + std::to_string(i);
  }
  folder.write_shard("a", rows);
  const auto report_with = [&](const DriftLimits& limits) {
    ReportProgress progress;
    return make_report({.folders = {folder.path()}, .drift_limits = limits}, progress);
  };
  EXPECT_FALSE(report_with({}).outcome().has_value());
  EXPECT_FALSE(report_with({0.9, 50}).outcome().has_value());
  const RunReport repeated = report_with({0.9, 49});
  EXPECT_EQ(repeated.outcome(), ErrorCategory::Damaged);
  EXPECT_THAT(repeated.drift_beyond(), HasSubstr("50.0 % of the new ones, limit 49 %"));
  const RunReport far = report_with({0.01, {}});
  EXPECT_EQ(far.outcome(), ErrorCategory::Damaged);
  EXPECT_THAT(render_report(far, {}), HasSubstr("(--max-divergence)"));
  EXPECT_TRUE(far.problems.empty());
}

TEST(Report, PartsOfAJobAreMerged) {
  const MadeFolder first;
  const MadeFolder second;
  for (const MadeFolder* folder : {&first, &second}) folder->write_run({"a", "b"});
  first.write_shard("a", kept_rows("a", 3));
  second.write_shard("b", kept_rows("b", 2));
  const RunReport report = report_on({first.path(), second.path()});
  EXPECT_FALSE(report.outcome().has_value());
  EXPECT_EQ(report.summary.read, 5);
  EXPECT_THAT(report.sizes,
              ElementsAre(ElementsAre(Pair("a.tar", 3)), ElementsAre(Pair("b.tar", 2))));

  second.write_shard("a", kept_rows("a", 3));
  const RunReport doubled = report_on({first.path(), second.path()});
  EXPECT_EQ(doubled.outcome(), ErrorCategory::Damaged);
  EXPECT_EQ(doubled.summary.read, 5);
}

TEST(Report, RefusesAFolderThatIsNoOutput) {
  const MadeFolder folder;
  EXPECT_THAT(test::message_of([&] { report_on({folder.path()}); }), HasSubstr("run.json"));
}

TEST(ReportJson, HasWhatThePageShows) {
  const MadeFolder folder;
  folder.write_run({"a", "gone"});
  folder.write_shard("a", kept_rows("a", 3));
  const auto json = nlohmann::json::parse(report_to_json(report_on({folder.path()})));
  EXPECT_EQ(json["schema"], "aitqe.report/1");
  EXPECT_EQ(json["verdict"], "incomplete");
  EXPECT_EQ(json["exit_code"], 75);
  EXPECT_EQ(json["shards"]["missing"], nlohmann::json({"gone"}));
  EXPECT_EQ(json["problems"][0]["kind"], "not_done");
  EXPECT_EQ(json["summary"]["read"], 3);
  EXPECT_EQ(json["fine_scores"].size(), kNumFineScoreBins);
  EXPECT_EQ(json["by_language"][0]["name"], "unknown");  // "picture 0"
  EXPECT_EQ(json["by_script"][0]["name"], "Latin");
  EXPECT_EQ(json["drift"]["all"]["word_divergence_bits"], 0.0);
  EXPECT_EQ(json["drift"]["all"]["words_lost_share"], 0.0);
  EXPECT_TRUE(json["filter"].is_null());
}

TEST(ReportJson, TellsWhatAFilterWouldLeave) {
  const MadeFolder folder;
  folder.write_run({"a"});
  folder.write_shard("a", kept_rows("a", 3));  // "picture 0", "picture 1", "picture 2": 1, 2, 3
  ReportProgress progress;
  const RunReport report = make_report({.folders = {folder.path()}, .filter_below = 3.0}, progress);
  const auto filter = nlohmann::json::parse(report_to_json(report))["filter"];
  EXPECT_EQ(filter["below"], 3.0);
  EXPECT_EQ(filter["left"], 1);
  EXPECT_EQ(filter["drift"]["words_lost_share"], 0.5);  // 0 and 1 of picture, 0, 1, 2
  EXPECT_EQ(filter["drift"]["rare_words_lost_share"], 2.0 / 3);
  EXPECT_EQ(filter["drift"]["facts_lost_share"], 2.0 / 3);
  EXPECT_EQ(filter["by_script"][0]["read"], 1);
  EXPECT_EQ(filter["by_language"][0]["read"], 1);
}

TEST(ReportText, TellsSourcesLanguagesDimensionsAndDrift) {
  const MadeFolder folder;
  folder.write_run({"a"});
  std::vector<ReportRow> rows = kept_rows("a", 10);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].url = i < 6 ? "https://big.example/1.jpg" : "https://small.example/1.jpg";
    rows[i].scores.text_quality = 1.0;
    rows[i].caption = i < 8 ? "the dog is running over a field with some other dogs"
                            : "ein Hund, der mit einigen anderen über die Wiese läuft";
    rows[i].caption_out = rows[i].caption += " " + std::to_string(i);
  }
  rows[0].decision = Decision::Rewrite;
  rows[0].reason = "model_rewrites";
  rows[0].caption_out = "new";
  folder.write_shard("a", rows);
  const RunReport report = report_on({folder.path()});
  const auto drift = nlohmann::json::parse(report_to_json(report))["drift"]["all"];
  const auto percent = [&](const char* name) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", 100 * drift[name].get<double>());
    return std::string(text);
  };
  const std::string text = render_report(report, {.blocks = false});
  EXPECT_THAT(text, HasSubstr("sources       big.example           60 % "));
  EXPECT_THAT(text, HasSubstr("  small.example         40 % "));
  EXPECT_THAT(text, HasSubstr("languages     en        80 % "));
  EXPECT_THAT(text, HasSubstr("dimensions  text_quality           @"));
  EXPECT_GT(drift["words_lost_share"], 0.0);
  EXPECT_THAT(
      text, HasSubstr("bits; lost: words " + percent("words_lost_share") + ", rare words " +
                      percent("rare_words_lost_share") + ", facts " + percent("facts_lost_share")));
}

TEST(ReportText, FitsAScreenAndPutsNoControlsOnIt) {
  const MadeFolder folder;
  std::vector<std::string> names;
  for (int i = 0; i < 9; ++i) {
    const std::string name = "shard\x1B[2J" + std::to_string(i);
    names.push_back(name);
    std::vector<ReportRow> rows = kept_rows(name, 30);
    for (std::size_t j = 0; j < 8; ++j) {
      rows[j].decision = Decision::Failed;
      rows[j].reason = "";
      rows[j].failure = {"decode", "kind_" + std::to_string(j) + ": \x1B[31m"};
    }
    rows[20].decision = Decision::Rewrite;
    rows[20].reason = "model_rewrites";
    rows[20].caption_out = "new";
    rows[21].injection_suspect = true;
    rows[i + 10].url = "https://\x1B[1m" + std::to_string(i) + ".example/";
    folder.write_shard(name, rows);
  }
  for (int i = 0; i < 20; ++i) names.push_back("missing" + std::to_string(i));
  folder.write_run(names);
  const std::string text = render_report(report_on({folder.path()}), {});
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 24);
  EXPECT_THAT(text, Not(HasSubstr("\x1B")));
  EXPECT_THAT(text, HasSubstr("\xE2\x96\x88"));
  const std::string plain =
      render_report(report_on({folder.path()}), {.color = false, .blocks = false});
  EXPECT_TRUE(std::all_of(plain.begin(), plain.end(), [](char c) { return c > 0; }));
  std::istringstream lines(plain);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(render_report(report_on({folder.path()}), {.color = true}), HasSubstr("\x1B[1;31m"));
}

TEST(ReportPage, IsTheSameForTheSameFilesAndHoldsPictures) {
  const MadeFolder folder;
  folder.write_run({"a"});
  folder.write_shard("a", kept_rows("a", 2), {image_bytes(), "no image"});
  const std::string page = report_to_html(report_on({folder.path()}));
  EXPECT_EQ(page, report_to_html(report_on({folder.path()})));
  EXPECT_THAT(page, HasSubstr("\"jpeg\":\"/9j/"));  // how a JPEG begins in base64
  EXPECT_THAT(page, HasSubstr("\"jpeg\":\"\""));
  ReportProgress progress;
  const ReportOptions without{.folders = {folder.path()}, .with_images = false};
  EXPECT_THAT(report_to_html(make_report(without, progress)), Not(HasSubstr("/9j/")));
}

TEST(ReportPage, StaysBelowFiveMegabytesAndHoldsNoMarkupOfCaptions) {
  const MadeFolder folder;
  folder.write_run({"a"});
  std::vector<ReportRow> rows = kept_rows("a", 2'000);
  std::string hostile;
  while (hostile.size() < 3'000) hostile += "</script><script>alert(1)</script><!--&{{data}}";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].caption = rows[i].caption_out = rows[i].recaption = rows[i].key + hostile;
    rows[i].url = "https://" + hostile;
    rows[i].reason = "reason " + std::to_string(i % 90);
  }
  folder.write_shard("a", rows);
  const std::string page = report_to_html(report_on({folder.path()}));
  EXPECT_LT(page.size(), 5'000'000U);
  EXPECT_THAT(page, Not(HasSubstr("alert(1)</")));
  EXPECT_THAT(page, Not(HasSubstr("<!--")));
  EXPECT_THAT(page, HasSubstr("\\u003c/script\\u003e"));
  EXPECT_THAT(page, HasSubstr("{{data}}"));  // of the captions: nothing is put in twice
}

}  // namespace
}  // namespace aitqe
