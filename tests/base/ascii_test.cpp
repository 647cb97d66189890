#include "aitqe/base/ascii.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(Ascii, LowersLettersAndLeavesEverythingElse) {
  EXPECT_EQ(ascii::lower("A Cat-9 \xC3\x84"), "a cat-9 \xC3\x84");
}

TEST(Ascii, TrimsBothEndsOnly) {
  EXPECT_EQ(ascii::trim(" \t a b \r\n"), "a b");
  EXPECT_EQ(ascii::trim("  "), "");
  EXPECT_EQ(ascii::trim("\"x\"", "\""), "x");
}

TEST(Ascii, KnowsDigitsAndSpaceWithoutALocale) {
  EXPECT_TRUE(ascii::is_digit('0') && ascii::is_digit('9'));
  EXPECT_FALSE(ascii::is_digit('a') || ascii::is_digit('\xB2'));
  EXPECT_TRUE(ascii::is_space('\f'));
  EXPECT_FALSE(ascii::is_space('\xA0'));
}

}  // namespace
}  // namespace aitqe
