#include "aitqe/report/run_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_folder.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

TEST(RunFile, SaysHowShardsAreMadeAndWhichThereAreToBe) {
  const MadeFolder folder;
  EXPECT_FALSE(read_run_file(folder.path()).has_value());
  folder.write_run({"b", "a"});
  const RunFile run = *read_run_file(folder.path());
  EXPECT_THAT(run.shards, ElementsAre("b", "a"));
  EXPECT_EQ(run.config_sha256, sha256_hex(kConfig.dump()));
  EXPECT_EQ(run.model_sha256, "m");
  EXPECT_EQ(run.command, "aitqe enhance in -o out");
  EXPECT_TRUE(run.writes_shards());
  EXPECT_FALSE(run.has_sampling());
}

TEST(RunFile, KnowsScoreRunsAndSamples) {
  const MadeFolder folder;
  folder.write_run({}, {{"write_shards", false}, {"sample", 0.5}});
  EXPECT_FALSE(read_run_file(folder.path())->writes_shards());
  EXPECT_TRUE(read_run_file(folder.path())->has_sampling());
}

TEST(RunFile, OfAVersionThatDidNotPinShardsNamesNone) {
  const MadeFolder folder;
  folder.write("_aitqe/run.json",
               R"({"schema": "aitqe.run/1", "version": "0", "config": {}, "model_sha256": ""})");
  EXPECT_THAT(read_run_file(folder.path())->shards, IsEmpty());
}

TEST(RunFile, ThatIsTornIsNamed) {
  const MadeFolder folder;
  for (const char* content : {"", "{", "[]", R"({"schema": "other/1"})",
                              R"({"schema": "aitqe.run/1", "version": "0", "config": {},
                                  "model_sha256": "", "shards": [1]})"}) {
    folder.write("_aitqe/run.json", content);
    EXPECT_THAT(test::message_of([&] { read_run_file(folder.path()); }), HasSubstr("run.json"));
  }
}

TEST(UnreadableShards, AreRememberedUntilTheyCanBeRead) {
  const MadeFolder folder;
  EXPECT_THAT(read_unreadable_shards(folder.path()), IsEmpty());
  note_unreadable_shard(folder.path(), "a", "a.tar: no such file");
  note_unreadable_shard(folder.path(), "b", "b.tar: is a folder");
  note_unreadable_shard(folder.path(), "a", "");
  EXPECT_THAT(read_unreadable_shards(folder.path()), ElementsAre(Pair("b", "b.tar: is a folder")));
  note_unreadable_shard(folder.path(), "b", "");
  EXPECT_FALSE(std::filesystem::exists(folder / "_aitqe/unreadable"));
}

}  // namespace
}  // namespace aitqe
