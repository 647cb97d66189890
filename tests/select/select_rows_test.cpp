#include "aitqe/select/select_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Remembers what it was given.
class Keys : public RowSink {
 public:
  void begin_shard(const FinishedShard& shard) override { shards.push_back(shard.name()); }
  void add(const SelectedRow& selected) override {
    EXPECT_EQ(from_json_line(selected.line).key, selected.row.key);
    keys.push_back(selected.row.key);
    positions.push_back(selected.position);
  }
  void finish() override { is_finished = true; }

  std::vector<std::string> shards;
  std::vector<std::string> keys;
  std::vector<std::int64_t> positions;
  bool is_finished = false;
};

class SelectRowsTest : public testing::Test {
 protected:
  std::filesystem::path run_folder() const { return folder_ / "run"; }

  /// A finished shard of a score run; its keys are a, b, c, ... after the shard's name.
  void write_shard(const std::string& name, const std::vector<double>& scores) {
    ShardOutputOptions options;
    options.write_tar = false;
    ShardOutput output(run_folder(), {"in/" + name + ".tar", name}, options);
    ShardStats stats;
    for (const double score : scores) {
      ReportRow row;
      row.shard = name;
      row.index = output.num_samples();
      row.key = name + static_cast<char>('a' + row.index);
      row.score_expected = score;
      row.p_rewrite = 1.0 - score / 10.0;
      output.add(Sample(), "", to_json_line(row));
    }
    stats.shard = name;
    output.commit(nlohmann::ordered_json::parse(stats_to_json(stats)));
  }

  Keys select(const SelectOptions& options) {
    Keys keys;
    counts_ = select_rows(finished_shards({run_folder()}), options, {&keys});
    EXPECT_TRUE(keys.is_finished);
    return keys;
  }

  static SelectOptions take(SelectOptions::Take take, double percent, std::int64_t count = 0) {
    SelectOptions options;
    options.take = take;
    options.percent = percent;
    options.count = count;
    return options;
  }

  test::TemporaryFolder folder_;
  SelectCounts counts_;
};

constexpr auto kWorst = SelectOptions::Take::Worst;
constexpr auto kBest = SelectOptions::Take::Best;
constexpr double kByCount = -1.0;

TEST_F(SelectRowsTest, GivesEveryRowInOrderOfShards) {
  write_shard("1", {5, 2});
  write_shard("0", {3, -1, 9});
  const Keys all = select({});
  EXPECT_THAT(all.keys, ElementsAre("0a", "0b", "0c", "1a", "1b"));
  EXPECT_THAT(all.positions, ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(all.shards, ElementsAre("0", "1"));
  EXPECT_EQ(counts_.read, 5);
  EXPECT_EQ(counts_.selected, 5);
}

TEST_F(SelectRowsTest, TakesTheWorstAndTheBestOfThoseWithAScore) {
  write_shard("0", {3, -1, 9});
  write_shard("1", {5, 2});
  EXPECT_THAT(select(take(kWorst, 50)).keys, ElementsAre("0a", "1b"));
  EXPECT_EQ(counts_.scored, 4);
  EXPECT_EQ(counts_.read, 5);
  EXPECT_THAT(select(take(kBest, 25)).keys, ElementsAre("0c"));
  EXPECT_THAT(select(take(kWorst, kByCount, 3)).keys, ElementsAre("0a", "1a", "1b"));
  EXPECT_THAT(select(take(kBest, kByCount, 0)).keys, IsEmpty());
  EXPECT_THAT(select(take(kBest, kByCount, 99)).keys, ElementsAre("0a", "0c", "1a", "1b"));
}

TEST_F(SelectRowsTest, CountsTheShareOfThoseThatMatch) {
  write_shard("0", {1, 2, 3, 4, 5, 6});
  SelectOptions options = take(kWorst, 50);
  options.where = RowFilter::parse("score_expected > 2");
  EXPECT_THAT(select(options).keys, ElementsAre("0c", "0d"));
  EXPECT_EQ(counts_.read, 6);
  EXPECT_EQ(counts_.matching, 4);
  EXPECT_EQ(counts_.selected, 2);
}

TEST_F(SelectRowsTest, IsExactAndRepeatableWithTies) {
  const std::vector<double> equal(20, 3.0);
  write_shard("0", equal);
  write_shard("1", equal);
  SelectOptions options = take(kWorst, kByCount, 13);
  const Keys first = select(options);
  EXPECT_EQ(first.keys.size(), 13U);
  EXPECT_EQ(select(options).keys, first.keys);
  options.seed = 1;
  EXPECT_NE(select(options).keys, first.keys);
}

TEST_F(SelectRowsTest, PutsEveryRowEitherAmongTheWorstOrTheBest) {
  write_shard("0", std::vector<double>(20, 3.0));
  Keys worst = select(take(kWorst, 30));
  const Keys best = select(take(kBest, 70));
  worst.keys.insert(worst.keys.end(), best.keys.begin(), best.keys.end());
  std::sort(worst.keys.begin(), worst.keys.end());
  EXPECT_EQ(worst.keys, select({}).keys);
}

TEST_F(SelectRowsTest, RanksByAnyFloatColumn) {
  write_shard("0", {3, 4, 9});
  SelectOptions options = take(kWorst, kByCount, 1);
  options.score_column = &find_score_column("p_rewrite");
  EXPECT_THAT(select(options).keys, ElementsAre("0c"));
}

TEST_F(SelectRowsTest, RefusesAShardThatIsNotFinished) {
  write_shard("0", {3});
  folder_.write("run/1.aitqe.jsonl", "{}\n");
  try {
    finished_shards({run_folder()});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Usage);
    EXPECT_THAT(error.what(), HasSubstr("not finished"));
  }
}

TEST_F(SelectRowsTest, RefusesFoldersWithoutShardsAndShardsOfOneName) {
  write_shard("0", {3});
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_THROW(finished_shards({folder_ / "empty"}), Error);
  EXPECT_THROW(finished_shards({folder_ / "none"}), Error);
  EXPECT_THROW(finished_shards({run_folder(), run_folder()}), Error);
  EXPECT_FALSE(finished_shards({run_folder()}).front().has_tar());
}

}  // namespace
}  // namespace aitqe
