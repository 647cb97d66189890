#include "aitqe/report/proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ProofTest : public testing::Test {
 protected:
  ProofTest() { folder_.write_run({"a"}); }

  ShardProof prove(const ProofListener& listener = {}) const {
    return prove_shard(folder_.path(), "a", *read_run_file(folder_.path()), listener);
  }
  std::vector<std::string> kinds() const {
    std::vector<std::string> found;
    for (const ShardProblem& problem : prove().problems) found.push_back(problem.kind);
    return found;
  }
  void replace(const std::string& file, const std::string& from, const std::string& to) const {
    std::string content = test::read_bytes(folder_ / file);
    const std::size_t at = content.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    folder_.write(file, content.replace(at, from.size(), to));
  }
  /// The stats vouch for the rows as they are now.
  void vouch_for_rows() const {
    const fs::path path = folder_ / "a.aitqe.jsonl";
    ShardStats stats = stats_from_json(test::read_bytes(folder_ / "a.aitqe.stats.json"));
    for (FileIdentity& file : stats.files) {
      if (file.name != "a.aitqe.jsonl") continue;
      file.sha256 = sha256_of_file(path);
      file.bytes = static_cast<std::int64_t>(fs::file_size(path));
    }
    folder_.write("a.aitqe.stats.json", stats_to_json(stats));
  }

  MadeFolder folder_;
};

TEST_F(ProofTest, OfAWholeShardFindsNothingAndTellsEveryRowAndPair) {
  folder_.write_shard("a", kept_rows("a", 3));
  std::string heard;
  ProofListener listener;
  listener.row = [&](const ReportRow& row) { heard += "row " + row.key + ", "; };
  listener.rows_end = [&] { heard += "end, "; };
  listener.sample = [&](const Sample& sample, std::int64_t index) {
    heard += sample.key + " is " + std::to_string(index) + ", ";
  };
  const ShardProof proof = prove(listener);
  EXPECT_THAT(proof.problems, IsEmpty());
  EXPECT_TRUE(proof.is_counted);
  EXPECT_EQ(proof.stats.summary.read, 3);
  EXPECT_EQ(heard, "row 0, row 1, row 2, end, 0 is 0, 1 is 1, 2 is 2, ");
}

TEST_F(ProofTest, KeysThatAreNoUtf8AreThoseOfTheirRows) {
  std::vector<ReportRow> rows = kept_rows("a", 1);
  rows[0].key = "caf\xE9";
  rows[0].recaption = "\xFF";
  folder_.write_shard("a", rows);
  EXPECT_THAT(kinds(), IsEmpty());
}

TEST_F(ProofTest, FilesThatAreNotThereYetAreMendedByARerun) {
  EXPECT_THAT(kinds(), ElementsAre("not_done"));
  folder_.write_shard("a", kept_rows("a", 3));
  fs::remove(folder_ / "a.tar");
  const ShardProof proof = prove();
  ASSERT_THAT(kinds(), ElementsAre("not_done"));
  EXPECT_TRUE(proof.problems[0].rerun_mends);
  EXPECT_EQ(proof.problems[0].detail, "a.tar is missing");
  EXPECT_FALSE(proof.is_counted);
  folder_.write("a.tar", "short");
  EXPECT_THAT(prove().problems[0].detail, HasSubstr("a.tar has 5 bytes, its stats say "));
  folder_.write("a.aitqe.stats.json", "{");
  EXPECT_THAT(prove().problems[0].detail, HasSubstr("a.aitqe.stats.json"));
}

TEST_F(ProofTest, AChangedByteIsFound) {
  folder_.write_shard("a", kept_rows("a", 3));
  replace("a.tar", "picture 1", "picture 7");
  const ShardProof proof = prove();
  ASSERT_THAT(kinds(), ElementsAre("sha256"));
  EXPECT_FALSE(proof.problems[0].rerun_mends);
  EXPECT_THAT(proof.problems[0].detail, HasSubstr("a.tar"));
}

TEST_F(ProofTest, AChangedRowIsFoundEvenWhereTheStatsVouchForIt) {
  folder_.write_shard("a", kept_rows("a", 3));
  replace("a.aitqe.jsonl", "model_keeps", "rule_never");
  vouch_for_rows();
  EXPECT_THAT(kinds(), ElementsAre("key", "summary"));
}

TEST_F(ProofTest, ADoubledRowAndAGapAreFound) {
  folder_.write_shard("a", kept_rows("a", 3));
  replace("a.aitqe.jsonl", R"("index": 1)", R"("index": 2)");
  vouch_for_rows();
  EXPECT_THAT(kinds(), ElementsAre("row_order"));
}

TEST_F(ProofTest, AMissingRowIsFound) {
  folder_.write_shard("a", kept_rows("a", 3));
  const std::string rows = test::read_bytes(folder_ / "a.aitqe.jsonl");
  folder_.write("a.aitqe.jsonl", rows.substr(0, rows.rfind('\n', rows.size() - 2) + 1));
  vouch_for_rows();
  EXPECT_THAT(kinds(), ElementsAre("row_count", "row_count"));
}

TEST_F(ProofTest, ARowThatCannotBeReadIsNamed) {
  folder_.write_shard("a", kept_rows("a", 2));
  replace("a.aitqe.jsonl", R"("index": 1)", R"("index": x)");
  vouch_for_rows();
  const ShardProof proof = prove();
  ASSERT_THAT(kinds(), ElementsAre("row", "key", "row_count"));
  EXPECT_THAT(proof.problems[0].detail, HasSubstr("row 1"));
}

TEST_F(ProofTest, ManyProblemsOfAKindAreCounted) {
  folder_.write_shard("a", kept_rows("a", 9));
  std::string rows;
  for (int i = 0; i < 9; ++i) rows += "{}\n";
  folder_.write("a.aitqe.jsonl", rows);
  vouch_for_rows();
  const ShardProof proof = prove();
  std::int64_t bad_rows = 0;
  for (const ShardProblem& problem : proof.problems) bad_rows += problem.kind == "row" ? 1 : 0;
  EXPECT_EQ(bad_rows, 6);  // five and their number
  EXPECT_TRUE(std::any_of(proof.problems.begin(), proof.problems.end(),
                          [](const auto& problem) { return problem.detail == "and 4 more"; }));
}

TEST_F(ProofTest, AnotherConfigurationOrModelIsNamed) {
  folder_.write_shard("a", kept_rows("a", 1));
  folder_.write_run({"a"}, {{"rewrite_when", "always"}});
  EXPECT_THAT(kinds(), ElementsAre("other_configuration"));
  replace("_aitqe/run.json", R"("model_sha256": "m")", R"("model_sha256": "n")");
  EXPECT_THAT(kinds(), ElementsAre("other_configuration", "other_model"));
}

TEST_F(ProofTest, SampledRowsHaveGapsButAnOrder) {
  std::vector<ReportRow> rows = kept_rows("a", 3);
  rows[1].index = 5;
  rows[2].index = 7;
  folder_.write_shard("a", rows);
  EXPECT_THAT(kinds(), ElementsAre("row_order", "row_order"));
  RunFile run = *read_run_file(folder_.path());
  run.config = R"({"sample": 0.5})";
  EXPECT_THAT(prove_shard(folder_.path(), "a", run, {}).problems, IsEmpty());
}

}  // namespace
}  // namespace aitqe
