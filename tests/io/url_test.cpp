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

TEST(WithoutSecrets, KeepsPathsAndObjects) {
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
