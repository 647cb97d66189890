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
  EXPECT_THAT(listing.keys, ElementsAre("a/0.tar", "a/x & y <1>.tar"));
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

}  // namespace
}  // namespace aitqe
