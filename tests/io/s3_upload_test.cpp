#include "aitqe/io/s3_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/s3_support.h"
#include "support/temporary_folder.h"

// Real servers take the parts in tests/e2e/upload_test.py.
namespace aitqe {
namespace {

using test::category_of;
using test::client_for;
using test::error_reply;
using test::head_reply;
using test::HttpServer;
using test::kObject;
using test::ok_head;
using test::request_lines;
using test::ScriptedReply;
using test::status_reply;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

ScriptedReply xml_reply(const std::string& xml) { return {ok_head(xml.size(), ""), xml}; }

ScriptedReply begun_reply(const std::string& id = "u") {
  return xml_reply("<InitiateMultipartUploadResult><UploadId>" + id +
                   "</UploadId></InitiateMultipartUploadResult>");
}

ScriptedReply pending_reply(const std::string& inside = "") {
  return xml_reply("<ListMultipartUploadsResult>" + inside + "</ListMultipartUploadsResult>");
}

ScriptedReply part_reply(const std::string& etag) {
  return {ok_head(0, "ETag: " + etag + "\r\n"), ""};
}

ScriptedReply completed_reply() {
  return xml_reply("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>");
}

/// A file of five bytes that goes up in parts of two.
class UploadInParts : public testing::Test {
 protected:
  UploadInParts() { folder_.write("0.tar", kBytes); }

  void upload(const HttpServer& server) {
    const FileDigest digest{static_cast<std::int64_t>(kBytes.size()), sha256_hex(kBytes)};
    upload_s3(kObject, folder_ / "0.tar", digest, client_for(server),
              {.largest_put_bytes = 4, .part_bytes = 2});
  }

  const std::string kBytes = "abcde";
  TemporaryFolder folder_;
};

TEST_F(UploadInParts, JoinsThemInOrder) {
  const HttpServer server({begun_reply("a/b+="), pending_reply(), part_reply("\"1\""),
                           part_reply("\"2\""), part_reply("\"3\""), completed_reply(),
                           head_reply(kBytes)});
  upload(server);
  EXPECT_THAT(
      request_lines(server),
      ElementsAre("POST /bucket/out/0.tar?uploads=", "GET /bucket/?prefix=out%2F0.tar&uploads=",
                  "PUT /bucket/out/0.tar?partNumber=1&uploadId=a%2Fb%2B%3D",
                  "PUT /bucket/out/0.tar?partNumber=2&uploadId=a%2Fb%2B%3D",
                  "PUT /bucket/out/0.tar?partNumber=3&uploadId=a%2Fb%2B%3D",
                  "POST /bucket/out/0.tar?uploadId=a%2Fb%2B%3D", "HEAD /bucket/out/0.tar"));
  EXPECT_TRUE(server.requests()[2].ends_with("\r\n\r\nab"));
  EXPECT_TRUE(server.requests()[4].ends_with("\r\n\r\ne"));
  EXPECT_THAT(server.requests()[5],
              HasSubstr("<Part><PartNumber>2</PartNumber><ETag>&#34;2&#34;</ETag></Part>"));
}

TEST_F(UploadInParts, AbortsWhatAnEarlierRunLeftOfThisObjectAlone) {
  const HttpServer server(
      {begun_reply(),
       pending_reply("<Upload><Key>out/0.tar</Key><UploadId>u</UploadId></Upload>"
                     "<Upload><Key>out/0.tar</Key><UploadId>old</UploadId></Upload>"
                     "<Upload><Key>out/0.tar.x</Key><UploadId>other</UploadId></Upload>"),
       status_reply("204 No Content"), part_reply("1"), part_reply("2"), part_reply("3"),
       completed_reply(), head_reply(kBytes)});
  upload(server);
  EXPECT_EQ(request_lines(server)[2], "DELETE /bucket/out/0.tar?uploadId=old");
}

TEST_F(UploadInParts, IsCompletedAgainAfterAnErrorThatCameWithAGoodStatus) {
  const HttpServer server({begun_reply(), pending_reply(), part_reply("1"), part_reply("2"),
                           part_reply("3"), xml_reply("<Error><Code>InternalError</Code></Error>"),
                           completed_reply(), head_reply(kBytes)});
  upload(server);
  EXPECT_EQ(request_lines(server)[6], "POST /bucket/out/0.tar?uploadId=u");
}

TEST_F(UploadInParts, IsAbortedAndFailsWhenItCannotBeCompleted) {
  const auto error = xml_reply("<Error><Code>InternalError</Code></Error>");
  const HttpServer server({begun_reply(), pending_reply(), part_reply("1"), part_reply("2"),
                           part_reply("3"), error, error, status_reply("204 No Content")});
  EXPECT_EQ(category_of([&] { upload(server); }), ErrorCategory::Resumable);
  EXPECT_EQ(request_lines(server).back(), "DELETE /bucket/out/0.tar?uploadId=u");
}

TEST_F(UploadInParts, SendsAPartAgain) {
  const HttpServer server({begun_reply(), pending_reply(), part_reply("1"),
                           ScriptedReply{"", "", ScriptedReply::End::Reset}, part_reply("2"),
                           part_reply("3"), completed_reply(), head_reply(kBytes)});
  upload(server);
  EXPECT_EQ(request_lines(server)[3], request_lines(server)[4]);
}

TEST_F(UploadInParts, IsAbortedWhenAPartIsRefused) {
  const HttpServer server({begun_reply(), pending_reply(), part_reply("1"),
                           error_reply("403 Forbidden", "AccessDenied"),
                           status_reply("204 No Content")});
  EXPECT_EQ(category_of([&] { upload(server); }), ErrorCategory::Output);
  EXPECT_EQ(request_lines(server).back(), "DELETE /bucket/out/0.tar?uploadId=u");
}

TEST_F(UploadInParts, IsDoneWhenOnlyTheAnswerToItsCompletionWasLost) {
  const HttpServer server({begun_reply(), pending_reply(), part_reply("1"), part_reply("2"),
                           part_reply("3"), ScriptedReply{"", "", ScriptedReply::End::Reset},
                           error_reply("404 Not Found", "NoSuchUpload"),
                           status_reply("404 Not Found"),  // to the abort
                           head_reply(kBytes)});
  upload(server);
  EXPECT_THAT(request_lines(server).back(), StartsWith("HEAD "));
}

TEST_F(UploadInParts, BeginsAnewWhenSomebodyElseAbortedIt) {
  const HttpServer server({begun_reply("1"), pending_reply(), part_reply("1"),
                           error_reply("404 Not Found", "NoSuchUpload"),
                           status_reply("404 Not Found"),  // to the abort
                           status_reply("404 Not Found"),  // no such object
                           begun_reply("2"), part_reply("1"), part_reply("2"), part_reply("3"),
                           completed_reply(), head_reply(kBytes)});
  upload(server);
  EXPECT_THAT(server.requests(), SizeIs(12));
}

TEST_F(UploadInParts, GoesUpWholeUpToTheLimit) {
  const HttpServer server({{ok_head(0), ""}, head_reply(kBytes)});
  const FileDigest digest{5, sha256_hex(kBytes)};
  upload_s3(kObject, folder_ / "0.tar", digest, client_for(server));
  EXPECT_THAT(request_lines(server),
              ElementsAre("PUT /bucket/out/0.tar", "HEAD /bucket/out/0.tar"));
}

}  // namespace
}  // namespace aitqe
