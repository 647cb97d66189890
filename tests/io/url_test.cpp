#include "aitqe/io/url.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(WithoutSecrets, LeavesOutUserQueryAndFragment) {
  EXPECT_EQ(without_secrets("https://user:pass@host:8000/a/0.tar?sig=x#y"),
            "https://host:8000/a/0.tar");
  EXPECT_EQ(without_secrets("https://host?sig=x"), "https://host");
  EXPECT_EQ(without_secrets("http://host/a@b/0.tar"), "http://host/a@b/0.tar");
  EXPECT_EQ(without_secrets("http://user:p@ss@host/0.tar"), "http://host/0.tar");
}

TEST(WithoutSecrets, LooksIntoCommands) {
  EXPECT_EQ(without_secrets("pipe:curl 'https://u:p@host/0.tar?sig=x' | cat; curl http://b/?y"),
            "pipe:curl 'https://host/0.tar' | cat; curl http://b/");
}

TEST(WithoutSecrets, KnowsEverySchemeInAnyCase) {
  EXPECT_EQ(without_secrets("HTTPS://u:p@host/0.tar?sig=x"), "HTTPS://host/0.tar");
  EXPECT_EQ(without_secrets("ftp://u:p@host/0.tar"), "ftp://host/0.tar");
  EXPECT_EQ(without_secrets("s3://key:secret@bucket/a"), "s3://bucket/a");
  EXPECT_EQ(without_secrets("pipe:lftp -c cat FTP://u:p@host/0.tar"),
            "pipe:lftp -c cat FTP://host/0.tar");
}

TEST(WithoutSecrets, KnowsCredentialsAmongArguments) {
  EXPECT_EQ(without_secrets("pipe:curl -H 'Authorization: Bearer abc' -fs https://host/0.tar"),
            "pipe:curl -H 'Authorization: ***' -fs https://host/0.tar");
  EXPECT_EQ(without_secrets("pipe:curl -u me:pass https://host/0.tar # 0.tar"),
            "pipe:curl -u *** https://host/0.tar # 0.tar");
  EXPECT_EQ(without_secrets("pipe:AWS_SECRET_ACCESS_KEY='a b' HF_TOKEN=x get a; sort -u file"),
            "pipe:AWS_SECRET_ACCESS_KEY=*** HF_TOKEN=*** get a; sort -u file");
  EXPECT_EQ(without_secrets("pipe:curl -H \"X-Api-Key: k\" a"),
            "pipe:curl -H \"X-Api-Key: ***\" a");
}

TEST(WithoutSecrets, KeepsPathsAndObjects) {
  EXPECT_EQ(without_secrets("data/pipes: HF_TOKEN=x://"), "data/pipes: HF_TOKEN=x://");
  EXPECT_EQ(without_secrets("data/a@b?.tar"), "data/a@b?.tar");
  EXPECT_EQ(without_secrets("s3://bucket/a?b"), "s3://bucket/a?b");
  EXPECT_EQ(without_secrets("-"), "-");
}

TEST(PercentEncoded, KeepsUnreservedAndAsked) {
  EXPECT_EQ(percent_encoded("a b/ä+~"), "a%20b%2F%C3%A4%2B~");
  EXPECT_EQ(percent_encoded("a b/c", "/"), "a%20b/c");
}

}  // namespace
}  // namespace aitqe
