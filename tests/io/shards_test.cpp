#include "aitqe/io/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

using test::TemporaryFolder;
using test::write_bytes;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const std::vector<ShardRef>& shards) {
  std::vector<std::string> names;
  for (const ShardRef& shard : shards) names.push_back(shard.name);
  return names;
}

void expect_error(const std::vector<std::string>& inputs, ErrorCategory category,
                  const std::string& part) {
  try {
    expand_inputs(inputs);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), category) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

class Shards : public testing::Test {
 protected:
  Shards() {
    for (const char* name :
         {"00001.tar", "00000.tar", "00002.tar.gz", "b.tgz", "c.tar.zst", ".00009.tar.part-1",
          ".hidden.tar", "00000.parquet", "sub/00003.tar"}) {
      write_bytes(folder_ / name, "");
    }
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  TemporaryFolder folder_;
};

TEST(ExpandBraces, AgreesWithTheShell) {
  EXPECT_THAT(expand_braces("a{8..10}.tar"), ElementsAre("a8.tar", "a9.tar", "a10.tar"));
  EXPECT_THAT(expand_braces("{008..010}"), ElementsAre("008", "009", "010"));
  EXPECT_THAT(expand_braces("{2..0}"), ElementsAre("2", "1", "0"));
  EXPECT_THAT(expand_braces("{-1..1}"), ElementsAre("-1", "0", "1"));
  EXPECT_THAT(expand_braces("{a,b}{1..2}"), ElementsAre("a1", "a2", "b1", "b2"));
  EXPECT_THAT(expand_braces("{a,b{1,2},}x"), ElementsAre("ax", "b1x", "b2x", "x"));
  EXPECT_THAT(expand_braces("{a}{{1..2}"), ElementsAre("{a}{1", "{a}{2"));
  EXPECT_THAT(expand_braces("${1..2}"), ElementsAre("${1..2}"));
  EXPECT_THAT(expand_braces("plain"), ElementsAre("plain"));
}

TEST(ExpandBraces, RefusesToGiveMillionsOfNames) {
  EXPECT_THROW(expand_braces("{0..99999999}"), Error);
  EXPECT_THROW(expand_braces("{0..9999}{0..9999}"), Error);
}

TEST_F(Shards, OfAFolderAreSortedAndWithoutHiddenFiles) {
  EXPECT_THAT(names_of(expand_inputs({folder_.path().string()})),
              ElementsAre("00000", "00001", "00002", "b", "c"));
}

TEST_F(Shards, OfGlobsBracesAndFilesKeepTheGivenOrder) {
  const auto shards = expand_inputs({path("c.tar.zst"), path("{00001..00000}.tar"), path("*.gz")});
  EXPECT_THAT(names_of(shards), ElementsAre("c", "00001", "00000", "00002"));
  EXPECT_EQ(shards[3].url, path("00002.tar.gz"));
}

TEST_F(Shards, OfAListSkipCommentsAndBlankLines) {
  write_bytes(folder_ / "list.txt",
              "# shards\n\n  " + path("00001.tar") + "  \r\n" + path("0000{0..0}.tar") + "\n");
  EXPECT_THAT(names_of(expand_inputs({"@" + path("list.txt")})), ElementsAre("00001", "00000"));
}

TEST_F(Shards, OfAListNameTheLineThatIsWrong) {
  write_bytes(folder_ / "list.txt", path("00001.tar") + "\nmissing.tar\n");
  expect_error({"@" + path("list.txt")}, ErrorCategory::NoInput, "list.txt:2: missing.tar");
  write_bytes(folder_ / "nested.txt", "@x\n");
  expect_error({"@" + path("nested.txt")}, ErrorCategory::Usage, "do not nest");
}

TEST_F(Shards, AreTakenAsTypedWhenSuchAFileExists) {
  write_bytes(folder_ / "odd{1..2}[x].tar", "");
  EXPECT_THAT(names_of(expand_inputs({path("odd{1..2}[x].tar")})), ElementsAre("odd{1..2}[x]"));
}

TEST_F(Shards, NameTheInputThatMatchesNothing) {
  expect_error({path("*.zip")}, ErrorCategory::NoInput, "*.zip: matches no file");
  expect_error({path("{00000..00002}.tar")}, ErrorCategory::NoInput, "00002.tar: no such file");
  expect_error({path("nothing.tar")}, ErrorCategory::NoInput, "nothing.tar: no such file");
  expect_error({}, ErrorCategory::NoInput, "no input");
  std::filesystem::create_directory(folder_ / "empty");
  expect_error({path("empty")}, ErrorCategory::NoInput, "no .tar");
}

TEST_F(Shards, WithTheSameOutputNameAreRefusedNamingBoth) {
  write_bytes(folder_ / "other/00000.tar", "");
  expect_error({path("00000.tar"), path("other/00000.tar")}, ErrorCategory::Usage,
               path("00000.tar") + " and " + path("other/00000.tar"));
  expect_error({path("00000.tar"), path("00000.tar")}, ErrorCategory::Usage, "both");
}

TEST(ExpandInputs, NamesPipesAfterTheShardInThem) {
  const auto shards = expand_inputs({"-", "pipe:aws s3 cp 's3://b/{00..01}.tar' -",
                                     "pipe:curl -sL http://h/x.tar.gz?sig=1 | gunzip",
                                     "pipe:awk '{print $1,$2}' list"});
  EXPECT_THAT(names_of(shards), ElementsAre("stdin", "00", "01", "x", "pipe"));
  EXPECT_EQ(shards[1].url, "pipe:aws s3 cp 's3://b/00.tar' -");
  EXPECT_EQ(shards[4].url, "pipe:awk '{print $1,$2}' list");
  EXPECT_FALSE(is_local_file(shards[0]));
  EXPECT_FALSE(is_local_file(shards[1]));
}

TEST(ExpandInputs, NamesUrlsAfterTheLastPartOfTheirPath) {
  const auto shards = expand_inputs(
      {"https://user:pass@host/a/{00..01}.tar.gz?sig=x/y", "s3://bucket/a/{02..03}.tar"});
  EXPECT_THAT(names_of(shards), ElementsAre("00", "01", "02", "03"));
  EXPECT_EQ(shards[0].url, "https://user:pass@host/a/00.tar.gz?sig=x/y");
  EXPECT_EQ(shards[3].url, "s3://bucket/a/03.tar");
  EXPECT_FALSE(is_local_file(shards[0]));
  EXPECT_FALSE(is_local_file(shards[2]));
  EXPECT_TRUE(can_be_read_again(shards[0]));
  EXPECT_FALSE(can_be_read_again({"-", "stdin"}));
}

TEST(ExpandInputs, ShowsNoSecretOfAUrl) {
  expect_error({"https://host/0.tar?sig=1", "https://u:p@other/0.tar?sig=2"}, ErrorCategory::Usage,
               "https://host/0.tar and https://other/0.tar: both");
  expect_error({"https://host/?sig=1"}, ErrorCategory::Usage, "https://host/: its output name");
}

TEST(ExpandInputs, SaysWhichSchemesAreBuiltIn) {
  expect_error({"gs://bucket/{0..1}.tar"}, ErrorCategory::Usage,
               "gs:// is not built in, http://, https:// and s3:// are; else use \"pipe:");
  expect_error({"s3://a@b/0.tar"}, ErrorCategory::Usage, "expected s3://BUCKET/KEY");
}

}  // namespace
}  // namespace aitqe
