#include "aitqe/io/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aitqe {
namespace {

using testing::ElementsAre;

TEST(S3Listing, GivesKeysAndTheTokenOfTheNextPage) {
  const S3Listing listing = parse_s3_listing(
      R"(<?xml version="1.0" encoding="UTF-8"?>
      <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Name>b</Name><IsTruncated>true</IsTruncated>
        <Contents><Key>a/0.tar</Key><Size>10</Size></Contents>
        <Contents><Key>a/x &amp; y &lt;1&gt;.tar</Key><Owner><Key>no</Key></Owner></Contents>
        <CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes>
        <NextContinuationToken>t/1==</NextContinuationToken>
      </ListBucketResult>)");
  EXPECT_THAT(listing.objects,
              ElementsAre(S3Object{"a/0.tar", 10}, S3Object{"a/x & y <1>.tar", 0}));
  EXPECT_EQ(listing.next_token, "t/1==");
}

TEST(S3Listing, HasNoNextPageUnlessItIsCut) {
  EXPECT_EQ(parse_s3_listing("<ListBucketResult><IsTruncated>false</IsTruncated>"
                             "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>")
                .next_token,
            "");
}

TEST(S3Listing, RefusesWhatIsNoList) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  for (const std::string& text :
       {std::string(), std::string("<html></html>"), std::string("<ListBucketResult>"),
        std::string("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"),
        std::string(R"(<!DOCTYPE a [<!ENTITY e "x">]><ListBucketResult>&e;</ListBucketResult>)"),
        deep}) {
    EXPECT_THROW(parse_s3_listing(text), XmlError) << text.substr(0, 80);
  }
}

TEST(S3Error, GivesCodeMessageAndRegion) {
  const S3Error error = parse_s3_error(
      "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message>"
      "<Region>eu-central-1</Region></Error>");
  EXPECT_EQ(error.code, "PermanentRedirect");
  EXPECT_EQ(error.message, "elsewhere");
  EXPECT_EQ(error.region, "eu-central-1");
}

TEST(S3Error, IsEmptyForAnythingElse) {
  EXPECT_EQ(parse_s3_error("").code, "");
  EXPECT_EQ(parse_s3_error("<html>502 Bad Gateway<br></html>").code, "");
  EXPECT_EQ(parse_s3_error("<Error><Code>cut").code, "");
}

TEST(S3Upload, HasAnId) {
  EXPECT_EQ(parse_s3_upload_id("<InitiateMultipartUploadResult xmlns=\"x\"><Bucket>b</Bucket>"
                               "<UploadId>a+/=</UploadId></InitiateMultipartUploadResult>"),
            "a+/=");
  EXPECT_EQ(parse_s3_upload_id("<InitiateMultipartUpload><UploadId>of rclone</UploadId>"
                               "</InitiateMultipartUpload>"),
            "of rclone");
  for (const std::string text : {"", "<html/>", "<InitiateMultipartUploadResult/>",
                                 "<Error><UploadId>a</UploadId></Error>"}) {
    EXPECT_THROW(parse_s3_upload_id(text), XmlError) << text;
  }
}

TEST(S3Upload, IsCompleteOnlyWhenTheAnswerSaysSo) {
  EXPECT_EQ(parse_s3_completed_etag("<CompleteMultipartUploadResult><ETag>&quot;a-2&quot;</ETag>"
                                    "</CompleteMultipartUploadResult>"),
            "\"a-2\"");
  for (const std::string text :
       {"", "<Error><Code>InternalError</Code><ETag>a</ETag></Error>",
        "<CompleteMultipartUploadResult><ETag>a</ETag>", "<CompleteMultipartUploadResult/>"}) {
    EXPECT_EQ(parse_s3_completed_etag(text), "") << text;
  }
}

TEST(S3PendingUploads, HaveKeyAndId) {
  EXPECT_THAT(parse_s3_pending_uploads("<ListMultipartUploadsResult><Prefix>a</Prefix>"
                                       "<Upload><Key>a</Key><UploadId>1</UploadId></Upload>"
                                       "<Upload><Key>a b</Key><UploadId>2</UploadId></Upload>"
                                       "</ListMultipartUploadsResult>"),
              ElementsAre(S3PendingUpload{"a", "1"}, S3PendingUpload{"a b", "2"}));
  EXPECT_THROW(parse_s3_pending_uploads("<ListBucketResult/>"), XmlError);
}

}  // namespace
}  // namespace aitqe
