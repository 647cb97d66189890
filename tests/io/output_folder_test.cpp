#include "aitqe/io/output_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "io/io_support.h"
#include "support/errors.h"
#include "support/http_server.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using test::HttpServer;
using test::ok_head;
using test::read_bytes;
using test::ScriptedReply;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(OutputFolder, OnDiskTellsWhatCannotBeReadFromWhatIsNotThere) {
  const TemporaryFolder scratch;
  const OutputFolder folder = OutputFolder::open(scratch.path().string());
  folder.write("a.json", "{}");
  EXPECT_EQ(folder.read("a.json/b.json"), std::nullopt);
  fs::create_symlink("loop", scratch / "loop");
  fs::create_directory(scratch / "folder");
  for (const char* name : {"loop", "folder"}) {
    EXPECT_THAT(test::message_of([&] { folder.read(name); }),
                HasSubstr(std::string(name) + ": cannot be read: "));
  }
  EXPECT_THAT(test::message_of([&] { folder.size_bytes("loop"); }), HasSubstr("cannot be read"));
}

TEST(OutputFolder, OnDiskIsItsOwnWorkFolder) {
  const TemporaryFolder scratch;
  const OutputFolder folder = OutputFolder::open((scratch / "out").string());
  EXPECT_TRUE(folder.is_local());
  EXPECT_EQ(folder.work_folder(), scratch / "out");
  folder.require_writable();
  EXPECT_EQ(folder.read("a.json"), std::nullopt);
  EXPECT_EQ(folder.size_bytes("a.json"), std::nullopt);
  EXPECT_THAT(folder.list(), IsEmpty());

  folder.write("_aitqe/notes/a.txt", "why");
  folder.write("a.json", "{}");
  EXPECT_EQ(folder.read("a.json"), "{}");
  EXPECT_EQ(folder.size_bytes("a.json"), 2);
  EXPECT_THAT(folder.list("_aitqe/notes"), ElementsAre("a.txt"));

  folder.remove("_aitqe/notes/a.txt");
  folder.remove("_aitqe/notes/a.txt");
  EXPECT_FALSE(fs::exists(scratch / "out/_aitqe/notes")) << "the last of its folder";
}

TEST(OutputFolder, OnDiskStaysWhenItsLastFileGoes) {
  const TemporaryFolder scratch;
  const OutputFolder folder = OutputFolder::open((scratch / "out/").string());
  folder.write("a.json", "{}");
  folder.remove("a.json");
  EXPECT_TRUE(fs::exists(scratch / "out"));
}

TEST(OutputFile, AppearsOnDiskOnCommit) {
  const TemporaryFolder scratch;
  OutputFile file(scratch / "out", "a.tar", "7");
  file.write("abc");
  EXPECT_FALSE(fs::exists(scratch / "out/a.tar"));
  EXPECT_EQ(file.commit().size_bytes, 3);
  EXPECT_EQ(read_bytes(scratch / "out/a.tar"), "abc");
}

TEST(OutputFolder, RefusesOtherSchemes) {
  for (const std::string typed : {"https://user:hidden@host/out", "gs://bucket/out"}) {
    const std::string message = test::message_of([&] { OutputFolder::open(typed); });
    EXPECT_THAT(message, HasSubstr("s3://BUCKET/PREFIX (-o)"));
    EXPECT_THAT(message, testing::Not(HasSubstr("hidden")));
  }
  EXPECT_THAT(test::message_of([] { OutputFolder::open("s3:///out"); }), HasSubstr("expected s3:"));
}

/// s3://bucket/out, on a server that a test scripts; keys and server are in the environment.
class BucketFolder : public testing::Test {
 protected:
  ~BucketFolder() override { unsetenv("AWS_ENDPOINT_URL_S3"); }

  OutputFolder open(const HttpServer& server) {
    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    setenv("AWS_ENDPOINT_URL_S3", server.url("").c_str(), 1);
    setenv("AWS_MAX_ATTEMPTS", "1", 1);
    return OutputFolder::open("s3://bucket/out/", {state_ / "state", {}});
  }

  static ScriptedReply head(const std::string& bytes) {
    return {ok_head(bytes.size(), "x-amz-meta-sha256: " + sha256_hex(bytes) + "\r\n"), ""};
  }

  static ScriptedReply listing(const std::string& inside) {
    const std::string body = "<ListBucketResult>" + inside + "</ListBucketResult>";
    return {ok_head(body.size()), body};
  }

  TemporaryFolder state_;
};

TEST_F(BucketFolder, HasAWorkFolderOfItsOwn) {
  const HttpServer server({});
  const OutputFolder folder = open(server);
  EXPECT_FALSE(folder.is_local());
  EXPECT_EQ(folder.name(), "s3://bucket/out");
  EXPECT_EQ(folder.work_folder().parent_path(), state_ / "state");
  EXPECT_THAT(folder.work_folder().filename().string(),
              testing::MatchesRegex("bucket-[0-9a-f]{16}"));
  const OutputFolder same = OutputFolder::open("s3://bucket/out", {state_ / "state", {}});
  const OutputFolder other = OutputFolder::open("s3://bucket/out2", {state_ / "state", {}});
  EXPECT_EQ(same.work_folder(), folder.work_folder());
  EXPECT_NE(other.work_folder(), folder.work_folder());
  EXPECT_FALSE(fs::exists(state_ / "state")) << "nothing is made before something is written";
}

TEST_F(BucketFolder, UploadsAFileOnCommitAndKeepsNothingHere) {
  const HttpServer server({{ok_head(0), ""}, head("abc")});
  const OutputFolder folder = open(server);
  {
    OutputFile file(folder, "a.tar");
    file.write("abc");
    EXPECT_THAT(server.requests(), IsEmpty());
    EXPECT_EQ(file.commit().sha256, sha256_hex("abc"));
  }
  EXPECT_THAT(server.requests()[0], HasSubstr("PUT /bucket/out/a.tar HTTP"));
  EXPECT_TRUE(fs::is_empty(folder.work_folder()));
}

TEST_F(BucketFolder, AnswersFromOneList) {
  const HttpServer server({listing("<Contents><Key>out/a.tar</Key><Size>3</Size></Contents>")});
  const OutputFolder listed = open(server).listed();
  EXPECT_EQ(listed.size_bytes("a.tar"), 3);
  EXPECT_EQ(listed.size_bytes("b.tar"), std::nullopt);
  EXPECT_EQ(listed.read("b.aitqe.stats.json"), std::nullopt);
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST_F(BucketFolder, ListsWhatIsDirectlyInside) {
  const HttpServer server(
      {listing("<Contents><Key>out/_aitqe/unreadable/b.txt</Key></Contents>"
               "<Contents><Key>out/_aitqe/unreadable/</Key></Contents>")});
  EXPECT_THAT(open(server).list("_aitqe/unreadable"), ElementsAre("b.txt"));
  EXPECT_THAT(server.requests()[0], HasSubstr("prefix=out%2F_aitqe%2Funreadable%2F "));
}

TEST_F(BucketFolder, CannotBeWrittenWithoutItsBucket) {
  const HttpServer server(
      {test::status_reply("404 Not Found", "", "<Error><Code>NoSuchBucket</Code></Error>")});
  const OutputFolder folder = open(server);
  try {
    folder.require_writable();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Output);
    EXPECT_THAT(error.what(), HasSubstr("s3://bucket/out/: HTTP status 404, NoSuchBucket"));
  }
}

}  // namespace
}  // namespace aitqe
