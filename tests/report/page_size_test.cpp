#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aitqe/report/report.h"
#include "made_folder.h"

namespace aitqe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kFiveMegabytes = 5'000'000;
/// Beyond what the gallery keeps of a text.
constexpr std::size_t kLongText = 3'000;

RunReport report_of(const std::vector<ReportRow>& rows) {
  RunReport report;
  report.run.config = R"({"rewrite_when":"model"})";
  for (const ReportRow& row : rows) {
    report.summary.add(row);
    report.tallies.add(row);
    report.gallery.add(row);
  }
  return report;
}

/// So many reasons that the sample is as large as samples get.
std::vector<ReportRow> rows_of_many_reasons(int count) {
  std::vector<ReportRow> rows = kept_rows("a", count);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].reason = "reason " + std::to_string(i % 90);
  return rows;
}

/// What the page's script finds.
nlohmann::json data_of(const std::string& page) {
  const std::string before = "<script id=\"data\" type=\"application/json\">";
  const std::size_t start = page.find(before) + before.size();
  return nlohmann::json::parse(page.substr(start, page.find("</script>", start) - start));
}

std::size_t num_pictures(const nlohmann::json& data) {
  return static_cast<std::size_t>(
      std::count_if(data["gallery"].begin(), data["gallery"].end(),
                    [](const nlohmann::json& pair) { return pair["jpeg"] != ""; }));
}

void set_thumbnails(RunReport& report, const std::string& jpeg) {
  for (auto& [index, pair] : report.gallery.pairs_of("a")) pair->thumbnail_jpeg = jpeg;
}

TEST(PageSize, CountsTextsAsTheyStandInThePage) {
  for (const char* text : {"<", ">", "&", "\x01", "\"", "\\", "\xE2\x80\xA8", "\xFF", "x"}) {
    std::vector<ReportRow> rows = rows_of_many_reasons(3'000);
    std::string longest;
    while (longest.size() < kLongText) longest += text;
    for (ReportRow& row : rows) {
      row.caption = row.caption_out = row.recaption = row.url = longest;
      row.key += longest;
    }
    RunReport report = report_of(rows);
    set_thumbnails(report, std::string(3'000, 'j'));
    const std::string page = report_to_html(report);
    EXPECT_LT(page.size(), kFiveMegabytes) << text;
    const auto data = data_of(page);
    EXPECT_GT(data["gallery"].size(), 30U) << text;
    EXPECT_EQ(num_pictures(data), data["gallery"].size()) << text;
  }
}

TEST(PageSize, LeavesPicturesOutWhereTheyReachTheirLimitButNotTheirPairs) {
  RunReport report = report_of(rows_of_many_reasons(20'000));
  const std::size_t num_pairs = report.gallery.pairs().size();
  const std::string jpeg(9'000, 'j');  // 12,000 in base64
  set_thumbnails(report, jpeg);
  ASSERT_GT(num_pairs * 12'000, kFiveMegabytes);
  const std::string page = report_to_html(report);
  EXPECT_LT(page.size(), kFiveMegabytes);
  const auto data = data_of(page);
  EXPECT_EQ(data["gallery"].size(), num_pairs);
  EXPECT_EQ(num_pictures(data), 2'600'000U / 12'000);
  EXPECT_NE(data["gallery"][0]["jpeg"], "");
}

TEST(PageSize, LeavesOutArgumentsInTheMiddleOfALongCommand) {
  RunReport report = report_of(kept_rows("a", 50));
  report.run.command = "aitqe enhance";
  for (int i = 0; i < 100'000; ++i) {
    report.run.command += " 'in/my shards/" + std::to_string(i) + ".tar'";
  }
  report.run.command += " --output out --seed 7";
  const std::string page = report_to_html(report);
  EXPECT_LT(page.size(), kFiveMegabytes);
  const auto data = data_of(page);
  EXPECT_EQ(data["gallery"].size(), 50U);
  const std::string command = data["command"];
  EXPECT_LT(command.size(), 20'100U);
  EXPECT_THAT(command, StartsWith("aitqe enhance 'in/my shards/0.tar' 'in/my shards/1.tar' "));
  EXPECT_TRUE(command.ends_with(" 'in/my shards/99999.tar' --output out --seed 7"));
  // What is there and what is said to be missing are all of them.
  const auto shown = static_cast<int>(std::count(command.begin(), command.end(), '\'') / 2);
  const std::size_t mark = command.find(" \xE2\x80\xA6 and ");
  ASSERT_NE(mark, std::string::npos);
  std::string missing = command.substr(mark + 9, 6);
  missing.erase(missing.find(','), 1);
  EXPECT_EQ(shown + std::stoi(missing), 100'000);
}

TEST(PageSize, LeavesAnOrdinaryCommandAlone) {
  RunReport report = report_of(kept_rows("a", 1));
  report.run.command = "aitqe enhance 'my <in>' -o out";
  EXPECT_EQ(data_of(report_to_html(report))["command"], report.run.command);
}

TEST(PageSize, LeavesOutOneArgumentThatIsTooLong) {
  RunReport report = report_of(kept_rows("a", 5));
  report.run.command = "aitqe enhance in --prompt '" + std::string(6'000'000, '<') + "' -o out";
  const std::string page = report_to_html(report);
  EXPECT_LT(page.size(), kFiveMegabytes);
  EXPECT_EQ(data_of(page)["command"],
            "aitqe enhance in --prompt \xE2\x80\xA6 and 1 more \xE2\x80\xA6 -o out");
}

TEST(PageSize, NamesTheFirstOfManyFolders) {
  RunReport report = report_of(kept_rows("a", 50));
  for (int i = 0; i < 30'000; ++i) {
    report.folders.emplace_back(std::filesystem::path(std::string(200, '&') + std::to_string(i)));
  }
  const std::string page = report_to_html(report);
  EXPECT_LT(page.size(), kFiveMegabytes);
  const auto data = data_of(page);
  EXPECT_EQ(data["gallery"].size(), 50U);
  EXPECT_EQ(data["folders"].size(), 20U);
  EXPECT_EQ(data["num_folders"], 30'000);
  EXPECT_THAT(std::string(data["folders"][0]), StartsWith("&&&"));
}

TEST(PageSize, CountsRareReasonsAndFailuresTogether) {
  std::vector<ReportRow> rows = kept_rows("a", 30'000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].reason = std::string(300, '<') + std::to_string(i);
    if (i % 2 == 0) continue;
    rows[i].decision = Decision::Failed;
    rows[i].failure = {"decode", i % 4 == 1 ? "often" : rows[i].reason + ": x"};
  }
  const std::string page = report_to_html(report_of(rows));
  EXPECT_LT(page.size(), kFiveMegabytes);
  const auto data = data_of(page);
  EXPECT_GT(data["gallery"].size(), 20U);
  const auto& failures = data["summary"]["failures"];
  EXPECT_LE(failures.size(), 201U);
  EXPECT_EQ(failures["decode: often"], 7'500);
  int failed = 0;
  for (const auto& [kind, pairs] : failures.items()) failed += pairs.get<int>();
  EXPECT_EQ(failed, 15'000);
}

/// Every list as long, and every name as wide in the page, as a run can make it.
RunReport largest_report() {
  const std::string wide(kLongText, '<');
  std::vector<ReportRow> rows = rows_of_many_reasons(3'000);
  for (ReportRow& row : rows) {
    row.caption = row.caption_out = row.recaption = wide;
    row.url = "https://" + wide + row.key + "/";
  }
  RunReport report = report_of(rows);
  set_thumbnails(report, std::string(27'000, 'j'));
  nlohmann::ordered_json config;
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = wide + std::to_string(i);
    report.missing.push_back(name);
    report.problems.push_back({name, "not_done", wide, true});
    report.summary.add_damage({name, wide, 1, 1});
    report.folders.emplace_back(std::filesystem::path(name));
    report.run.command += " " + name;
    config[std::to_string(i)] = wide;
    ReportRow row = kept_rows(name, 1)[0];
    report.tallies.add(row);
  }
  report.run.config = config.dump();
  report.run.version = report.run.model_sha256 = report.run.config_sha256 = wide;
  return report;
}

TEST(PageSize, DropsPairsOfTheGalleryAsALastResort) {
  RunReport report = largest_report();
  const std::string page = report_to_html(report);
  EXPECT_LT(page.size(), kFiveMegabytes);
  EXPECT_GT(page.size(), 4'500'000U);  // and the room is used
  const auto data = data_of(page);
  EXPECT_GT(data["gallery"].size(), 20U);
  EXPECT_GT(num_pictures(data), 10U);
  EXPECT_EQ(data["shards"]["num_missing"], 1'000);
  EXPECT_EQ(data["shards"]["missing"].size(), 200U);
  EXPECT_EQ(data["num_problems"], 1'000);
  EXPECT_EQ(data["summary"]["num_damage"], 1'000);
}

}  // namespace
}  // namespace aitqe
