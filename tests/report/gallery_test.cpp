#include "aitqe/report/gallery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "made_folder.h"

namespace aitqe {
namespace {

std::vector<std::string> keys_of(const Gallery& gallery) {
  std::vector<std::string> keys;
  for (const GalleryPair* pair : gallery.pairs()) keys.push_back(pair->row.shard + pair->row.key);
  return keys;
}

/// Ten thousand kept pairs, and one of each of two rare kinds.
std::vector<ReportRow> many_rows() {
  std::vector<ReportRow> rows = kept_rows("a", 10'000);
  rows[777].decision = Decision::Rewrite;
  rows[777].reason = "model_rewrites";
  rows[888].decision = Decision::Failed;
  rows[888].reason = "";
  rows[888].failure = {"decode", "truncated_jpeg: words"};
  return rows;
}

TEST(Gallery, RepresentsRareDecisionsAndStaysSmall) {
  Gallery gallery;
  for (const ReportRow& row : many_rows()) gallery.add(row);
  const auto pairs = gallery.pairs();
  EXPECT_LT(pairs.size(), 200U);
  EXPECT_GT(pairs.size(), 60U);
  // The first of each reason stand in front.
  std::vector<std::string> front;
  for (std::size_t i = 0; i < 3; ++i) front.emplace_back(decision_name(pairs[i]->row.decision));
  EXPECT_THAT(front, testing::UnorderedElementsAre("keep", "rewrite", "failed"));
}

TEST(Gallery, DoesNotDependOnTheOrderButOnTheSeed) {
  std::vector<ReportRow> rows = many_rows();
  Gallery forwards;
  Gallery backwards;
  Gallery other({.seed = 1});
  for (const ReportRow& row : rows) forwards.add(row);
  for (const ReportRow& row : rows) other.add(row);
  std::reverse(rows.begin(), rows.end());
  for (const ReportRow& row : rows) backwards.add(row);
  EXPECT_EQ(keys_of(forwards), keys_of(backwards));
  EXPECT_NE(keys_of(forwards), keys_of(other));
}

TEST(Gallery, HasExamplesBesideAnyScore) {
  Gallery gallery;
  std::vector<ReportRow> rows = kept_rows("a", 9'000);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].score_expected = 1.0 + 0.001 * static_cast<double>(i);
    gallery.add(rows[i]);
  }
  std::array<int, 36> in_band{};
  for (const GalleryPair* pair : gallery.pairs()) {
    ++in_band.at(static_cast<std::size_t>((pair->score - 1.0) * 4));
  }
  EXPECT_GE(*std::min_element(in_band.begin(), in_band.end()), 4);
}

TEST(Gallery, CutsLongTextsBetweenCharacters) {
  Gallery gallery;
  ReportRow row = kept_rows("a", 1)[0];
  row.caption = "x";
  while (row.caption.size() < 5'000) row.caption += "\xC3\xA9";
  gallery.add(row);
  const std::string& kept = gallery.pairs()[0]->row.caption;
  EXPECT_EQ(kept.size(), kLongestGalleryText - 1 + 3);
  EXPECT_TRUE(kept.ends_with("\xC3\xA9\xE2\x80\xA6"));
}

TEST(Gallery, GivesOutThePairsOfAShard) {
  Gallery gallery;
  for (const char* shard : {"a", "b"}) {
    for (const ReportRow& row : kept_rows(shard, 3)) gallery.add(row);
  }
  const auto pairs = gallery.pairs_of("b");
  ASSERT_EQ(pairs.size(), 3U);
  pairs.at(2)->thumbnail_jpeg = "jpeg";
  const auto all = gallery.pairs();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const GalleryPair* pair) {
    return pair->row.shard == "b" && pair->row.key == "2" && pair->thumbnail_jpeg == "jpeg";
  }));
}

}  // namespace
}  // namespace aitqe
