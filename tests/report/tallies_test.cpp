#include "aitqe/report/tallies.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sample_row.h"

namespace aitqe {
namespace {

TEST(SourceOf, IsTheHostOrWhatStandsBeforeTheColon) {
  EXPECT_EQ(source_of("https://www.Example.com:8080/a.jpg?b"), "example.com");
  EXPECT_EQ(source_of("http://user:pass@host.org#x"), "host.org");
  EXPECT_EQ(source_of("https://user@evil.org/@host.org"), "evil.org");
  EXPECT_EQ(source_of("openclipart:food/egg.svg"), "openclipart");
  EXPECT_EQ(source_of("a.jpg"), "");
  EXPECT_EQ(source_of(""), "");
  EXPECT_EQ(source_of("https://"), "");
}

TEST(GroupTallies, KeepTheLargestAndCountTheOthersTogether) {
  GroupTallies groups(3);
  for (const char* name : {"b", "a", "b", "c", "d", "d", "d"}) groups.add(name, bare_row());
  const auto two = groups.largest(2);
  ASSERT_EQ(two.size(), 3U);
  EXPECT_EQ(two[0].name, "b");
  EXPECT_EQ(two[0].tally.read, 2);
  EXPECT_EQ(two[1].name, "a");  // of equal ones the first by name
  EXPECT_EQ(two[2].name, "more than 1 others");
  EXPECT_EQ(two[2].tally.read, 4);  // c, and d beyond the three names
  EXPECT_EQ(groups.num_names(), 3U);
}

TEST(GroupTallies, SayHowManyOthersThereAre) {
  GroupTallies groups(10);
  for (const char* name : {"a", "a", "b", "c"}) groups.add(name, bare_row());
  EXPECT_EQ(groups.largest(1)[1].name, "2 others");
  EXPECT_EQ(groups.largest(3).size(), 3U);
}

TEST(Tallies, PutARowWhereItBelongs) {
  Tallies tallies;
  ReportRow row = sample_row();
  row.caption = "1234567890";
  row.caption_out = std::string(500, 'x');
  tallies.add(row);
  EXPECT_EQ(tallies.dimensions[0][1], 1);  // overall 2.0
  EXPECT_EQ(tallies.dimensions[2][2], 1);  // image_text_matching 2.5, half up
  EXPECT_EQ(tallies.fine_scores[25], 1);   // 2.25
  EXPECT_EQ(tallies.length_before[1], 1);
  EXPECT_EQ(tallies.length_after[kNumLengthBins - 1], 1);
  EXPECT_EQ(tallies.by_shard.at("00012.tar").rewritten, 1);
  EXPECT_DOUBLE_EQ(tallies.by_shard.at("00012.tar").mean_score(), 2.25);
  EXPECT_EQ(tallies.by_source.largest(1)[0].name, "example.com");
  EXPECT_EQ(tallies.by_script.largest(1)[0].name, "none");
  EXPECT_EQ(tallies.rewritten_after.captions(), 1);
}

TEST(Tallies, TellWhatAFilterWouldLeave) {
  Tallies tallies;
  tallies.filter.emplace(2.25);
  ReportRow good = sample_row();  // 2.25
  good.caption = "a dog in Mostar";
  ReportRow bad = good;
  bad.score_expected = 2.2499;
  bad.caption = "a cat in Prague";
  ReportRow failed = bare_row();
  failed.decision = Decision::Failed;
  for (const ReportRow& row : {good, bad, failed}) tallies.add(row);
  EXPECT_EQ(tallies.filter->left, 1);
  EXPECT_EQ(tallies.filter->captions.captions(), 1);
  EXPECT_EQ(tallies.filter->by_source.largest(1)[0].tally.read, 1);
  EXPECT_EQ(tallies.filter->by_script.largest(1)[0].tally.read, 1);
  EXPECT_EQ(tallies.filter->by_language.largest(1)[0].tally.read, 1);
  const auto& left = tallies.filter->captions;
  EXPECT_DOUBLE_EQ(CaptionStatistics::lost_facts_share(tallies.before, left), 0.5);
}

TEST(Tallies, FineScoresBeginABinAtEachStep) {
  Tallies tallies;
  for (std::size_t i = 0; i < kNumFineScoreBins; ++i) {
    ReportRow row = bare_row();
    row.score_expected = 1.0 + kFineScoreBin * static_cast<double>(i);
    tallies.add(row);
    EXPECT_EQ(tallies.fine_scores[i], 1) << row.score_expected;
  }
  ReportRow best = bare_row();
  best.score_expected = 10.0;
  tallies.add(best);
  EXPECT_EQ(tallies.fine_scores.back(), 2);
}

TEST(Tallies, LeaveFailedPairsOutOfThresholdsAndPairsWithoutCaptionOutOfLengths) {
  Tallies tallies;
  ReportRow row = bare_row();
  row.decision = Decision::Failed;
  row.score_expected = 5.0;
  tallies.add(row);
  EXPECT_EQ(std::accumulate(tallies.fine_scores.begin(), tallies.fine_scores.end(), 0), 0);
  EXPECT_EQ(tallies.length_before[0], 0);
  EXPECT_EQ(tallies.before.captions(), 0);
}

}  // namespace
}  // namespace aitqe
