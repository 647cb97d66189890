#include "aitqe/data/shard_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/webdataset.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using test::make_tar;
using test::read_bytes;
using test::read_tar;
using test::tar_fixture;
using test::TemporaryFolder;
using test::write_bytes;
using test::write_bytes_long_ago;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ShardOutputTest : public testing::Test {
 protected:
  ShardRef write_input(const std::string& archive, const std::string& name = "00000") {
    const fs::path path = folder_ / ("in/" + name + ".tar");
    write_bytes(path, archive);
    return {path.string(), name};
  }
  fs::path out() const { return folder_ / "out"; }

  // Copies a shard with a record and a row per sample.
  void copy_shard(const ShardRef& shard, const ShardOutputOptions& options = {}) {
    const auto source = open_source(shard);
    LossLog losses;
    TarReader members(*source, losses);
    SampleReader reader(members);
    ShardOutput output(out(), shard, options);
    while (const auto sample = reader.next()) {
      output.add(*sample, "{\"key\":\"" + sample->key + "\"}", "{}");
    }
    output.add_pass_through(reader.take_leftovers());
    output.commit({{"num_samples", output.num_samples()}});
  }

  TemporaryFolder folder_;
};

TEST_F(ShardOutputTest, KeepsEveryMemberAndAddsARecordBehindEachSample) {
  for (const char* fixture : {"good.tar", "webdataset.tar", "special.tar", "names_pax.tar"}) {
    const std::string archive = tar_fixture(fixture);
    copy_shard(write_input(archive));

    std::vector<TarMember> kept = read_tar(read_bytes(out() / "00000.tar")).members;
    const auto num_before = kept.size();
    std::erase_if(kept,
                  [](const TarMember& member) { return member.name.ends_with(".aitqe.json"); });
    EXPECT_LT(kept.size(), num_before);
    const auto input = read_tar(archive);
    ASSERT_EQ(kept.size(), input.members.size()) << fixture;
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_EQ(kept[i].name, input.members[i].name);
      EXPECT_EQ(kept[i].bytes, input.members[i].bytes);
      EXPECT_EQ(kept[i].metadata, input.members[i].metadata);
    }
  }
}

TEST_F(ShardOutputTest, PlacesTheRecordRightBehindTheLastMemberOfItsSample) {
  copy_shard(write_input(
      make_tar({{"README", ""}, {"0.jpg", "p"}, {"0.txt", "t"}, {"__x__", ""}, {"1.jpg", "p"}})));
  const auto result = read_tar(read_bytes(out() / "00000.tar"));
  EXPECT_THAT(result.names(), ElementsAre("README", "0.jpg", "0.txt", "0.aitqe.json", "__x__",
                                          "1.jpg", "1.aitqe.json"));
  EXPECT_EQ(result.members[3].bytes, "{\"key\":\"0\"}");
}

TEST_F(ShardOutputTest, TakesTheRecordsOwnerAndTimeFromTheSample) {
  copy_shard(write_input(tar_fixture("good.tar")));
  const auto result = read_tar(read_bytes(out() / "00000.tar"));
  ASSERT_EQ(result.members[2].name, "0000.aitqe.json");
  MemberMetadata expected = result.members[0].metadata;
  EXPECT_EQ(expected.mode, 0640);
  expected.mode = 0644;
  EXPECT_EQ(result.members[2].metadata, expected);
}

TEST_F(ShardOutputTest, RenewsARecordThatTheInputBrought) {
  copy_shard(write_input(
      make_tar({{"0.jpg", "p"}, {"0.aitqe.json", "old"}, {"0.txt", "t"}, {"1.jpg", "p"}})));
  const auto result = read_tar(read_bytes(out() / "00000.tar"));
  EXPECT_THAT(result.names(),
              ElementsAre("0.jpg", "0.aitqe.json", "0.txt", "1.jpg", "1.aitqe.json"));
  EXPECT_EQ(result.members[1].bytes, "{\"key\":\"0\"}");
}

TEST_F(ShardOutputTest, GivesTheSameBytesTwice) {
  const ShardRef shard = write_input(tar_fixture("webdataset.tar"));
  copy_shard(shard);
  const std::string first = read_bytes(out() / "00000.tar");
  copy_shard(shard);
  EXPECT_EQ(read_bytes(out() / "00000.tar"), first);
}

TEST_F(ShardOutputTest, CommitsSideFilesWithTheRestAndListsThem) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}}));
  fs::create_directories(out());
  write_bytes_long_ago(out() / ".00000.aitqe.parquet.part-dead", "left by a crash");
  {
    ShardOutput output(out(), shard);
    const auto write = output.open_side_file(".aitqe.parquet");
    write("some ");
    write("bytes");
    EXPECT_FALSE(fs::exists(out() / "00000.aitqe.parquet"));
    output.commit(nlohmann::ordered_json::object());
  }
  EXPECT_THAT(names_in(out()), ElementsAre("00000.aitqe.jsonl", "00000.aitqe.parquet",
                                           "00000.aitqe.stats.json", "00000.tar"));
  EXPECT_EQ(read_bytes(out() / "00000.aitqe.parquet"), "some bytes");
  const auto files = (*committed(out(), "00000"))["files"];
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[2]["name"], "00000.aitqe.parquet");
  EXPECT_EQ(files[2]["bytes"], 10);
}

TEST_F(ShardOutputTest, RemovesWhatAnEarlierRunWroteAndThisOneDoesNot) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}}));
  {
    ShardOutput output(out(), shard);
    output.open_side_file(".extra")("bytes");
    output.commit(nlohmann::ordered_json::object());
  }
  {
    const ShardOutput unfinished(out(), shard);
    EXPECT_TRUE(fs::exists(out() / "00000.extra"));
  }
  EXPECT_TRUE(fs::exists(out() / "00000.extra"));
  copy_shard(shard);
  EXPECT_FALSE(fs::exists(out() / "00000.extra"));
  EXPECT_TRUE(committed(out(), "00000"));
}

TEST_F(ShardOutputTest, HasNoFinalNameBeforeCommitAndLeavesNothingWithoutIt) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}}));
  write_bytes(folder_ / "in/00000.parquet", "table");
  {
    ShardOutput output(out(), shard, {.write_tar = true, .attempt = "3"});
    EXPECT_THAT(names_in(out()), ElementsAre(".00000.aitqe.jsonl.part-3", ".00000.tar.part-3"));
  }
  EXPECT_THAT(names_in(out()), IsEmpty());
}

TEST_F(ShardOutputTest, KeepsItsTemporariesFromLookingAbandonedWhileNothingIsWritten) {
  const ShardRef shard = write_input(tar_fixture("good.tar"));
  ShardOutput output(out(), shard, {true, "elsewhere-1"});
  output.open_side_file(".aitqe.parquet");
  const auto hours_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const std::string& name : names_in(out())) fs::last_write_time(out() / name, hours_ago);
  output.add(Sample{"a", 0, {{"a.txt", "txt", "a cat", {}, 0}}, {}}, "{}", "{}");
  const std::vector<std::string> names = names_in(out());
  EXPECT_EQ(names.size(), 3U);
  for (const std::string& name : names) {
    EXPECT_GT(fs::last_write_time(out() / name), hours_ago + std::chrono::hours(1)) << name;
  }
  remove_stale_temporaries(out(), {"00000.tar", "00000.aitqe.jsonl", "00000.aitqe.parquet"});
  EXPECT_EQ(names_in(out()), names);
}

TEST_F(ShardOutputTest, RemovesTemporariesOfAnEarlierRunOfThisShardOnly) {
  write_bytes_long_ago(out() / ".00000.tar.part-99", "x");
  write_bytes_long_ago(out() / ".00000.aitqe.stats.json.part-99", "x");
  write_bytes_long_ago(out() / ".00001.tar.part-99", "x");
  copy_shard(write_input(make_tar({{"0.jpg", "p"}})));
  EXPECT_THAT(names_in(out()), ElementsAre(".00001.tar.part-99", "00000.aitqe.jsonl",
                                           "00000.aitqe.stats.json", "00000.tar"));
}

TEST_F(ShardOutputTest, CopiesTheFilesBesideTheInputShard) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}}));
  for (const char* name : {"00000.parquet", "00000_stats.json", "00000.json", "00000.tar.gz",
                           "00000.aitqe.jsonl", "000001.json", "00001.json", "00000_b.parquet"}) {
    write_bytes(folder_ / "in" / name, name);
  }
  write_input("", "00000_b");
  copy_shard(shard);

  EXPECT_EQ(read_bytes(out() / "00000.parquet"), "00000.parquet");
  EXPECT_THAT(names_in(out()),
              ElementsAre("00000.aitqe.jsonl", "00000.aitqe.stats.json", "00000.json",
                          "00000.parquet", "00000.tar", "00000_stats.json"));
}

TEST_F(ShardOutputTest, IsNotCommittedWithoutTheFilesBesideItsInput) {
  const ShardRef shard = write_input(tar_fixture("good.tar"));
  const fs::path beside = folder_ / "in/00000.parquet";
  write_bytes(beside, "columns");
  ShardOutput output(out(), shard);
  fs::remove(beside);
  try {
    output.commit({});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Resumable);
    EXPECT_THAT(error.what(), testing::HasSubstr("00000.parquet"));
  }
  EXPECT_FALSE(committed(out(), "00000"));
}

TEST_F(ShardOutputTest, WritesOnlyRowsWhenAskedForNoTar) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}, {"1.jpg", "p"}}));
  write_bytes(folder_ / "in/00000.json", "{}");
  copy_shard(shard, {.write_tar = false, .attempt = ""});
  EXPECT_THAT(names_in(out()), ElementsAre("00000.aitqe.jsonl", "00000.aitqe.stats.json"));
  EXPECT_EQ(read_bytes(out() / "00000.aitqe.jsonl"), "{}\n{}\n");
}

TEST_F(ShardOutputTest, HandlesAShardWithoutAnySample) {
  copy_shard(write_input(make_tar({{"README", "text"}})));
  EXPECT_THAT(read_tar(read_bytes(out() / "00000.tar")).names(), ElementsAre("README"));
  EXPECT_EQ((*committed(out(), "00000"))["num_samples"], 0);
}

TEST_F(ShardOutputTest, ListsSizeAndHashOfItsFilesInTheStats) {
  copy_shard(write_input(make_tar({{"0.jpg", "p"}})));
  const auto stats = committed(out(), "00000");
  ASSERT_TRUE(stats.has_value());
  EXPECT_EQ((*stats)["num_samples"], 1);
  const auto& tar = (*stats)["files"][0];
  EXPECT_EQ(tar["name"], "00000.tar");
  EXPECT_EQ(tar["bytes"], fs::file_size(out() / "00000.tar"));
  EXPECT_EQ(tar["sha256"], sha256_hex(read_bytes(out() / "00000.tar")));
  EXPECT_EQ((*stats)["files"][1]["name"], "00000.aitqe.jsonl");
}

TEST_F(ShardOutputTest, IsNotCommittedWhenAFileIsMissingOrHasAnotherSize) {
  EXPECT_FALSE(committed(out(), "00000").has_value());
  copy_shard(write_input(make_tar({{"0.jpg", "p"}})));
  ASSERT_TRUE(committed(out(), "00000").has_value());

  fs::resize_file(out() / "00000.tar", 100);
  EXPECT_FALSE(committed(out(), "00000").has_value());
  fs::remove(out() / "00000.tar");
  EXPECT_FALSE(committed(out(), "00000").has_value());
  write_bytes(out() / "00000.aitqe.stats.json", "{\"files\"");
  EXPECT_FALSE(committed(out(), "00000").has_value());
}

TEST_F(ShardOutputTest, IsNoLongerCommittedWhenANewRunStopsHalfWay) {
  const ShardRef shard = write_input(make_tar({{"0.jpg", "p"}}));
  copy_shard(shard);
  fs::create_directory(out() / "00000.json");  // where a copy is to go
  write_bytes(folder_ / "in/00000.json", "{}");
  ShardOutput again(out(), shard, {.write_tar = true, .attempt = "2"});
  EXPECT_TRUE(committed(out(), "00000").has_value());
  EXPECT_THROW(again.commit({{"num_samples", 0}}), Error);
  EXPECT_FALSE(committed(out(), "00000").has_value());
}

TEST_F(ShardOutputTest, IsFoundAmongManyInTheirOrder) {
  copy_shard(write_input(make_tar({{"0.jpg", "p"}}), "b"));
  std::vector<std::string> names(100, "a");
  names[70] = "b";
  std::vector<std::size_t> found;
  std::size_t num_asked = 0;
  for_each_committed(out(), names, [&](std::size_t index, const auto& stats) {
    EXPECT_EQ(index, num_asked++);
    if (stats) found.push_back(index);
  });
  EXPECT_EQ(num_asked, names.size());
  EXPECT_THAT(found, ElementsAre(70U));
}

TEST_F(ShardOutputTest, LeavesNoJournalWhereAnotherMachineFinishedIt) {
  const OutputFolder bucket =
      OutputFolder::open("s3://bucket/out", {folder_ / "state", StopCheck()});
  const auto work = bucket.work_folder();
  write_bytes(work / "_aitqe/journal/00000", "a header\n");
  write_bytes(work / "_aitqe/journal/00001", "a header\n");
  write_bytes(work / ".00000.tar.part-elsewhere-1", "of a process that may live");
  discard_work(bucket, "00000");
  EXPECT_THAT(names_in(work / "_aitqe/journal"), ElementsAre("00001"));
  EXPECT_THAT(names_in(work), ElementsAre(".00000.tar.part-elsewhere-1", "_aitqe"));
}

TEST_F(ShardOutputTest, CannotBeMadeWhereAFileStands) {
  write_bytes(out(), "a file");
  try {
    ShardOutput output(out(), {"-", "stdin"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Output);
  }
}

TEST_F(ShardOutputTest, RefusesTheInputFolderAsOutput) {
  const ShardRef shard = write_input("");
  EXPECT_THROW(check_output_folder(folder_ / "in", {shard}), Error);
  EXPECT_THROW(check_output_folder(folder_ / "in/../in/", {shard}), Error);
  fs::create_directory_symlink(folder_ / "in", folder_ / "link");
  EXPECT_THROW(check_output_folder(folder_ / "link", {shard}), Error);
  EXPECT_NO_THROW(check_output_folder(out(), {shard, {"-", "stdin"}, {"pipe:x", "pipe"}}));
}

}  // namespace
}  // namespace aitqe
