#include "aitqe/io/s3_objects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/s3_support.h"

// Signatures are checked where a real server does it, in tests/e2e/upload_test.py.
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

TEST(PutS3, SignsTheBytesAndLooksWhetherTheyAreThere) {
  const HttpServer server({{ok_head(0), ""}, head_reply("abc")});
  put_s3(kObject, "abc", client_for(server));
  ASSERT_THAT(request_lines(server),
              ElementsAre("PUT /bucket/out/0.tar", "HEAD /bucket/out/0.tar"));
  const std::string request = server.requests()[0];
  EXPECT_THAT(request, HasSubstr("x-amz-content-sha256: " + sha256_hex("abc")));
  EXPECT_THAT(request, HasSubstr("x-amz-meta-sha256: " + sha256_hex("abc")));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/x-tar\r\n"));
  EXPECT_TRUE(request.ends_with("\r\n\r\nabc"));
}

TEST(PutS3, WritesAnEmptyObject) {
  const HttpServer server({{ok_head(0), ""}, head_reply("")});
  put_s3(kObject, "", client_for(server));
  EXPECT_THAT(server.requests()[0], HasSubstr("Content-Length: 0\r\n"));
}

TEST(PutS3, TakesTheETagWhereTheServerKeepsNoHash) {
  const HttpServer server({{ok_head(0), ""}, {ok_head(3), ""}});
  put_s3(kObject, "abc", client_for(server));
}

TEST(PutS3, IsSentAgainWhenBusyOrBroken) {
  for (const ScriptedReply& failure :
       {error_reply("503 Slow Down", "SlowDown"), error_reply("400 Bad Request", "RequestTimeout"),
        ScriptedReply{"", "", ScriptedReply::End::Reset}}) {
    const HttpServer server({failure, {ok_head(0), ""}, head_reply("abc")});
    put_s3(kObject, "abc", client_for(server));
    EXPECT_TRUE(server.requests()[1].ends_with("\r\n\r\nabc"));
  }
}

TEST(PutS3, IsSentAgainWhenAnotherSizeIsThere) {
  const HttpServer server(
      {{ok_head(0), ""}, head_reply("ab"), {ok_head(0), ""}, head_reply("abc")});
  put_s3(kObject, "abc", client_for(server));
  EXPECT_THAT(server.requests(), SizeIs(4));
}

TEST(PutS3, GivesUpOnAnObjectThatStaysAnother) {
  const HttpServer server(
      {{ok_head(0, ""), ""}, head_reply("xyz"), {ok_head(0, ""), ""}, head_reply("xyz")});
  EXPECT_EQ(category_of([&] { put_s3(kObject, "abc", client_for(server)); }),
            ErrorCategory::Resumable);
}

TEST(PutS3, IsNotTriedAgainOnceStopped) {
  const HttpServer server({error_reply("503 Slow Down", "SlowDown")});
  EXPECT_EQ(category_of([&] { put_s3(kObject, "abc", client_for(server, [] { return true; })); }),
            ErrorCategory::Resumable);
  EXPECT_THAT(server.requests(), SizeIs(1));
}

TEST(PutS3, SaysWhatIsDeniedExpiredOrMissing) {
  const auto category = [](const std::string& status, const std::string& code) {
    const HttpServer server({error_reply(status, code)});
    return category_of([&] { put_s3(kObject, "abc", client_for(server)); });
  };
  EXPECT_EQ(category("403 Forbidden", "AccessDenied"), ErrorCategory::Output);
  EXPECT_EQ(category("404 Not Found", "NoSuchBucket"), ErrorCategory::Output);
  EXPECT_EQ(category("403 Forbidden", "SignatureDoesNotMatch"), ErrorCategory::Usage);
  EXPECT_EQ(category("400 Bad Request", "ExpiredToken"), ErrorCategory::Usage);
  EXPECT_EQ(category("501 Not Implemented", "NotImplemented"), ErrorCategory::Output);
}

TEST(PutS3, GoesToTheRegionOfTheBucket) {
  const HttpServer server({status_reply("301 Moved", "x-amz-bucket-region: eu-west-3\r\n"),
                           {ok_head(0), ""},
                           head_reply("abc")});
  put_s3(kObject, "abc", client_for(server));
  EXPECT_THAT(server.requests()[1], HasSubstr("/eu-west-3/s3/aws4_request"));
}

TEST(ReadS3, TellsAMissingObjectFromAMissingBucket) {
  {
    const HttpServer server({error_reply("404 Not Found", "NoSuchKey")});
    EXPECT_EQ(read_s3(kObject, client_for(server)), std::nullopt);
  }
  const HttpServer server({error_reply("404 Not Found", "NoSuchBucket")});
  EXPECT_EQ(category_of([&] { read_s3(kObject, client_for(server)); }), ErrorCategory::NoInput);
}

TEST(LookAtS3, GivesTheSizeOrNothing) {
  const HttpServer server({head_reply("abc"), status_reply("404 Not Found")});
  EXPECT_EQ(look_at_s3(kObject, client_for(server))->size_bytes, 3);
  EXPECT_FALSE(look_at_s3(kObject, client_for(server)).has_value());
}

TEST(RemoveS3, IsFineWithoutAnObject) {
  const HttpServer server({status_reply("404 Not Found"), status_reply("204 No Content")});
  remove_s3(kObject, client_for(server));
  remove_s3(kObject, client_for(server));
  EXPECT_THAT(request_lines(server),
              ElementsAre("DELETE /bucket/out/0.tar", "DELETE /bucket/out/0.tar"));
}

}  // namespace
}  // namespace aitqe
