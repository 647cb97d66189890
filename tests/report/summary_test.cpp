#include "aitqe/report/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "aitqe/base/error.h"
#include "sample_row.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

ReportRow failed_row(const std::string& stage, const std::string& reason) {
  ReportRow row = bare_row();
  row.decision = Decision::Failed;
  row.failure = {stage, reason};
  return row;
}

TEST(Summary, CountsWhatBecameOfThePairs) {
  Summary summary;
  summary.add(sample_row());
  summary.add(bare_row());
  summary.add(failed_row("decode", "truncated_jpeg: at byte 12"));
  summary.add(failed_row("decode", "truncated_jpeg: at byte 99"));
  summary.add(failed_row("answer", "answer_cut"));
  EXPECT_EQ(summary.read, 5);
  EXPECT_EQ(summary.kept, 1);
  EXPECT_EQ(summary.rewritten, 1);
  EXPECT_EQ(summary.failed, 3);
  EXPECT_EQ(summary.failures, (std::map<std::string, std::int64_t>{{"answer: answer_cut", 1},
                                                                   {"decode: truncated_jpeg", 2}}));
  EXPECT_EQ(summary.reasons,
            (std::map<std::string, std::int64_t>{{"model_keeps", 1}, {"model_rewrites", 1}}));
  EXPECT_EQ(summary.words_before, 2);
  EXPECT_EQ(summary.words_after, 5);
  EXPECT_EQ(summary.captions_missing, 4);
  EXPECT_EQ(summary.captions_with_special_tokens, 1);
  EXPECT_EQ(summary.captions_suspect, 1);
}

TEST(Summary, TakesTheBestScoreOfEachRow) {
  const auto bins = [](double expected, double forced, double overall) {
    ReportRow row;
    row.score_expected = expected;
    row.score_forced = forced;
    row.scores.overall = overall;
    Summary summary;
    summary.add(row);
    for (std::size_t i = 0; i < kNumScoreBins; ++i) {
      if (summary.score_histogram[i] == 1) return static_cast<int>(i) + 1;
    }
    return 0;
  };
  EXPECT_EQ(bins(2.4, 5, 8), 2);
  EXPECT_EQ(bins(2.5, 5, 8), 3);
  EXPECT_EQ(bins(-1, 5, 8), 5);
  EXPECT_EQ(bins(-1, -1, 8), 8);
  EXPECT_EQ(bins(-1, -1, -1), 0);
  EXPECT_EQ(bins(NAN, -1, -1), 0);
  EXPECT_EQ(bins(0.2, -1, -1), 1);
  EXPECT_EQ(bins(99, -1, -1), 10);
}

TEST(Summary, HasAMeanScore) {
  Summary summary;
  EXPECT_EQ(summary.mean_score(), kNoScore);
  for (const double score : {2.0, 3.0, 7.1}) {
    ReportRow row;
    row.score_expected = score;
    summary.add(row);
  }
  EXPECT_DOUBLE_EQ(summary.mean_score(), 12.1 / 3);
}

TEST(Summary, MergesInAnyOrderToTheSameBytes) {
  std::mt19937 random(3);
  std::vector<Summary> parts(5);
  Summary whole;
  for (int i = 0; i < 500; ++i) {
    ReportRow row = i % 3 == 0 ? failed_row("s" + std::to_string(i % 7), "r") : sample_row();
    row.score_expected = std::uniform_real_distribution<>(1, 10)(random);
    whole.add(row);
    parts[random() % parts.size()].add(row);
  }
  for (int i = 0; i < 20; ++i) {
    const ShardDamage damage{std::to_string(i % 4), "kind", i % 3, 1};
    whole.add_damage(damage);
    parts[random() % parts.size()].add_damage(damage);
  }
  Summary forward;
  for (const Summary& part : parts) forward.merge(part);
  Summary backward;
  for (std::size_t i = parts.size(); i > 0; --i) backward.merge(parts[i - 1]);
  EXPECT_EQ(summary_to_json(forward), summary_to_json(whole));
  EXPECT_EQ(summary_to_json(backward), summary_to_json(whole));
}

TEST(SummaryJson, ReadsBackEqual) {
  Summary summary;
  EXPECT_EQ(summary_from_json(summary_to_json(summary)), summary);
  summary.add(sample_row());
  summary.add(failed_row("decode", "x: y"));
  summary.add_damage({"b.tar", "truncated_input", 276, 3});
  summary.add_damage({"a.tar", "data_after_end_marker", 512, 0});
  EXPECT_EQ(summary_from_json(summary_to_json(summary)), summary);
  EXPECT_EQ(summary.damage[0].shard, "a.tar");
}

TEST(SummaryJson, RefusesWhatIsNoSummary) {
  const std::string json = summary_to_json(Summary());
  const auto expect = [](const std::string& text, const std::string& message) {
    try {
      summary_from_json(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Damaged);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  const auto replaced = [&json](const std::string& from, const std::string& to) {
    std::string text = json;
    return text.replace(text.find(from), from.size(), to);
  };
  expect("x", "not valid JSON");
  expect(replaced("summary/2", "summary/9"), "aitqe.summary/9");
  expect(replaced("\"kept\":0,", ""), "kept is missing");
  expect(replaced("\"kept\":0", "\"kept\":0.5"), "kept must be an integer");
  expect(replaced("\"kept\":0", "\"kept\":0,\"lost\":1"), "lost is not known");
  expect(replaced("[0,", "["), "score_histogram must be 10 integers");
  expect(replaced("[0,", "[\"0\","), "score_histogram must be 10 integers");
  expect(replaced("\"damage\":[]", "\"damage\":[1]"), "damage: expected an object");
}

}  // namespace
}  // namespace aitqe
