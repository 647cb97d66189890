#include "aitqe/report/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/data/journal.h"
#include "made_folder.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Status, TellsDoneMissingAndFailed) {
  const MadeFolder folder;
  folder.write_run({"a", "b", "c", "d"});
  folder.write_shard("a", kept_rows("a", 3));
  folder.write_shard("d", kept_rows("d", 2));
  std::filesystem::remove(folder / "d.tar");
  note_unreadable_shard(folder.path(), "b", "in/b.tar: is a folder");
  const RunStatus status = read_status(folder.path());
  EXPECT_EQ(status.shards_expected, 4);
  EXPECT_EQ(status.shards_done, 1);
  EXPECT_EQ(status.summary.read, 3);
  ASSERT_THAT(status.missing, SizeIs(3));
  EXPECT_EQ(status.missing[0].reason, "in/b.tar: is a folder");
  EXPECT_EQ(status.missing[1].reason, "");
  EXPECT_EQ(status.missing[2].reason, "d.tar is missing");
  EXPECT_EQ(slurm_indexes(status), "1-3");
  EXPECT_THAT(render_status(status), HasSubstr("1 of 4 shards done, 3 pairs"));
  EXPECT_THAT(render_status(status), HasSubstr("aitqe enhance in -o out"));
}

TEST(Status, IndexesAreAsSlurmTakesThem) {
  RunStatus status;
  EXPECT_EQ(slurm_indexes(status), "");
  for (const std::int64_t index : {1, 3, 4, 5, 99}) status.missing.push_back({"", index, ""});
  EXPECT_EQ(slurm_indexes(status), "1,3-5,99");
}

TEST(Status, TellsWhatIsKnownOfAShardInProgress) {
  const MadeFolder folder;
  folder.write_run({"a", "b"});
  folder.write(".a.aitqe.jsonl.part-77", "{}\n{}\n{\"half");
  folder.write(".a.tar.part-77", std::string(100, 'x'));
  folder.write(".notes.part-77", "somebody else's");
  folder.write(".z.tar.part-1", "of no shard of this run");
  const RunStatus status = read_status(folder.path());
  ASSERT_THAT(status.in_progress, SizeIs(1));
  EXPECT_EQ(status.in_progress[0].shard, "a");
  EXPECT_EQ(status.in_progress[0].pairs, 2);
  EXPECT_EQ(status.in_progress[0].bytes, 12 + 100);
  EXPECT_GE(status.in_progress[0].last_write_age_s, 0.0);
  EXPECT_THAT(render_status(status), HasSubstr("2 pairs answered"));
}

TEST(Status, CountsAShardInProgressFromItsJournal) {
  const MadeFolder folder;
  folder.write_run({"a", "b", "c"});
  folder.write(".a.aitqe.jsonl.part-77", "{}\n");
  const auto journal = [&](const std::string& shard, const std::string& config) {
    const nlohmann::json header = {{"config_sha256", config}, {"model_sha256", "m"}};
    auto opened = Journal::open(folder.path(), shard, header.dump());
    for (const std::int64_t pair : {0, 1, 2, 1}) opened->add(pair, "{}");
    std::ofstream(Journal::path_of(folder.path(), shard), std::ios::app) << "3 half of a li";
  };
  journal("a", sha256_hex(kConfig.dump()));
  journal("b", sha256_hex(kConfig.dump()));  // stopped: what is left of it is the journal
  journal("c", "another configuration");
  const RunStatus status = read_status(folder.path());
  ASSERT_THAT(status.in_progress, SizeIs(2));
  EXPECT_EQ(status.in_progress[0].shard, "a");
  EXPECT_EQ(status.in_progress[0].pairs, 3);
  EXPECT_EQ(status.in_progress[1].shard, "b");
  EXPECT_EQ(status.in_progress[1].pairs, 3);
  EXPECT_GT(status.in_progress[1].bytes, 0);
  EXPECT_LT(status.in_progress[1].last_write_age_s, 3600);
}

TEST(Status, OfACompleteRunHasNothingMissing) {
  const MadeFolder folder;
  folder.write_run({"a"});
  folder.write_shard("a", kept_rows("a", 3));
  const RunStatus status = read_status(folder.path());
  EXPECT_THAT(status.missing, IsEmpty());
  const auto json = nlohmann::json::parse(status_to_json(status));
  EXPECT_EQ(json["schema"], "aitqe.status/1");
  EXPECT_EQ(json["shards_done"], 1);
  EXPECT_EQ(json["slurm"], "");
  EXPECT_EQ(json["summary"]["read"], 3);
}

TEST(Status, RefusesAFolderThatIsNoOutput) {
  const MadeFolder folder;
  EXPECT_THAT(test::message_of([&] { read_status(folder.path()); }), HasSubstr("run.json"));
}

}  // namespace
}  // namespace aitqe
