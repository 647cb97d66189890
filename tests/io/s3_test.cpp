#include "aitqe/io/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "io/io_support.h"
#include "support/errors.h"
#include "support/http_server.h"

// Signatures are checked where a real server does it, in tests/e2e/network_test.py.
namespace aitqe {
namespace {

using test::HttpServer;
using test::ok_head;
using test::status_reply;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

S3Settings settings_for(const HttpServer& server) {
  S3Settings settings;
  settings.access_key = "key";
  settings.secret_key = "hidden";
  settings.endpoint = server.url("");
  settings.http.max_attempts = 2;
  settings.http.first_wait_ms = 1;
  return settings;
}

test::ScriptedReply page(const std::string& inside) {
  const std::string body = "<ListBucketResult>" + inside + "</ListBucketResult>";
  return {ok_head(body.size()), body};
}

ErrorCategory category_of(const std::string& status, const std::string& code) {
  const HttpServer server({status_reply(status, "", "<Error><Code>" + code + "</Code></Error>")});
  try {
    open_s3({"bucket", "0.tar"}, settings_for(server));
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("s3://bucket/0.tar: HTTP status "), HasSubstr(code),
                                    Not(HasSubstr("hidden"))));
    return error.category();
  }
  return ErrorCategory::Bug;
}

TEST(S3Location, HasBucketAndKey) {
  const S3Location location = S3Location::parse("s3://my.bucket/a//b?c#d.tar");
  EXPECT_EQ(location.bucket, "my.bucket");
  EXPECT_EQ(location.key, "a//b?c#d.tar");
  EXPECT_EQ(location.url(), "s3://my.bucket/a//b?c#d.tar");
  EXPECT_EQ(S3Location::parse("s3://bucket").key, "");
}

TEST(S3Location, RefusesWhatIsNoBucket) {
  for (const std::string url : {"s3://", "s3:///a", "s3://a@b/c", "http://bucket/a", ""}) {
    EXPECT_THROW(S3Location::parse(url), Error) << url;
  }
}

TEST(OpenS3, SignsARequestForThePathOfTheObject) {
  const HttpServer server({{ok_head(3), "abc"}});
  S3Settings settings = settings_for(server);
  settings.session_token = "token";
  settings.region = "eu-west-3";
  const auto source = open_s3({"bucket", "a b/../ä+%.tar"}, settings);
  EXPECT_EQ(source->name(), "s3://bucket/a b/../ä+%.tar");
  const std::string request = server.requests()[0];
  EXPECT_THAT(request, HasSubstr("GET /bucket/a%20b/../%C3%A4%2B%25.tar HTTP/1.1"));
  EXPECT_THAT(request, HasSubstr("Authorization: AWS4-HMAC-SHA256 Credential=key/"));
  EXPECT_THAT(request, HasSubstr("/eu-west-3/s3/aws4_request"));
  EXPECT_THAT(request, HasSubstr("x-amz-content-sha256: e3b0c44298fc1c14"));  // of nothing
  EXPECT_THAT(request, HasSubstr("x-amz-security-token: token"));
  EXPECT_THAT(request, Not(HasSubstr("hidden")));
}

TEST(OpenS3, GoesToTheRegionThatTheAnswerNames) {
  const std::string wrong =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>";
  for (const auto& reply : {status_reply("301 Moved", "x-amz-bucket-region: eu-central-1\r\n"),
                            status_reply("400 Bad", "", wrong)}) {
    const HttpServer server({reply, {ok_head(3), "abc"}});
    open_s3({"bucket", "0.tar"}, settings_for(server));
    EXPECT_THAT(server.requests()[1], HasSubstr("/eu-central-1/s3/aws4_request"));
  }
}

TEST(OpenS3, DoesNotGoRoundBetweenRegions) {
  const HttpServer server({status_reply("301 Moved", "x-amz-bucket-region: here\r\n"),
                           status_reply("301 Moved", "x-amz-bucket-region: there\r\n")});
  EXPECT_THAT(test::message_of([&] {
                open_s3({"bucket", "0.tar"}, settings_for(server));
              }),
              HasSubstr("the bucket is in there"));
  EXPECT_THAT(server.requests(), SizeIs(2));
}

TEST(OpenS3, SaysWhatIsMissingDeniedOrExpired) {
  EXPECT_EQ(category_of("404 Not Found", "NoSuchKey"), ErrorCategory::NoInput);
  EXPECT_EQ(category_of("404 Not Found", "NoSuchBucket"), ErrorCategory::NoInput);
  EXPECT_EQ(category_of("403 Forbidden", "AccessDenied"), ErrorCategory::Usage);
  EXPECT_EQ(category_of("403 Forbidden", "SignatureDoesNotMatch"), ErrorCategory::Usage);
  EXPECT_EQ(category_of("400 Bad Request", "ExpiredToken"), ErrorCategory::Usage);
}

TEST(OpenS3, TriesAgainAfterSlowDown) {
  const std::string busy = "<Error><Code>SlowDown</Code></Error>";
  const HttpServer server({status_reply("503 Slow Down", "", busy), {ok_head(3), "abc"}});
  EXPECT_EQ(open_s3({"bucket", "0.tar"}, settings_for(server))->size_bytes(), 3);
}

TEST(ListS3, JoinsPages) {
  const HttpServer server(
      {page("<IsTruncated>true</IsTruncated><NextContinuationToken>a/+=</NextContinuationToken>"
            "<Contents><Key>in/b</Key></Contents>"),
       page("<Contents><Key>in/a</Key><Size>7</Size></Contents>")});
  EXPECT_THAT(list_s3({"bucket", "in/"}, settings_for(server)),
              ElementsAre(S3Object{"in/a", 7}, S3Object{"in/b", 0}));
  EXPECT_THAT(server.requests(),
              ElementsAre(HasSubstr("GET /bucket/?delimiter=%2F&list-type=2&prefix=in%2F HTTP"),
                          HasSubstr("GET /bucket/?continuation-token=a%2F%2B%3D&delimiter=%2F&")));
}

TEST(ListS3, EndsWhereThePagesDoNot) {
  const std::string same =
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
  const HttpServer server({page(same), page(same), page(same)});
  EXPECT_THAT(test::message_of([&] {
                list_s3({"bucket", ""}, settings_for(server));
              }),
              HasSubstr("does not end"));
}

TEST(ListS3, NamesAnAnswerThatIsNoList) {
  const HttpServer server({{ok_head(13), "<html></html>"}});
  EXPECT_THAT(test::message_of([&] {
                list_s3({"bucket", ""}, settings_for(server));
              }),
              HasSubstr("s3://bucket/: cannot be listed: no list of objects"));
}

}  // namespace
}  // namespace aitqe
