#include "aitqe/text/script.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(DominantScript, IsThatOfMostLetters) {
  EXPECT_EQ(dominant_script("a cat"), "Latin");
  EXPECT_EQ(dominant_script("fu\xC3\x9F"), "Latin");                       // fuss with sharp s
  EXPECT_EQ(dominant_script("\xD0\xBA\xD0\xBE\xD1\x82 cat on"), "Latin");  // 3 against 5
  EXPECT_EQ(dominant_script("\xD0\xBA\xD0\xBE\xD1\x82 ab"), "Cyrillic");   // 3 against 2
  EXPECT_EQ(dominant_script("\xE7\x8C\xAB\xE7\x9A\x84 IMG"), "Latin");     // 2 Han, 3 Latin
  EXPECT_EQ(dominant_script("\xE7\x8C\xAB\xE7\x9A\x84 1234567"), "Han");
  EXPECT_EQ(dominant_script("\xE3\x83\x8D\xE3\x82\xB3"), "Kana");
  EXPECT_EQ(dominant_script("\xEA\xB3\xA0\xEC\x96\x91"), "Hangul");
  EXPECT_EQ(dominant_script("\xF0\xA0\x80\x80"), "Han");  // U+20000
}

TEST(DominantScript, OfATieIsTheFirst) {
  EXPECT_EQ(dominant_script("ab \xD0\xBA\xD0\xBE"), "Latin");
  EXPECT_EQ(dominant_script("\xD0\xBA\xD0\xBE ab"), "Cyrillic");
}

TEST(DominantScript, KnowsTextsWithoutLettersAndScriptsWithoutAName) {
  EXPECT_EQ(dominant_script(""), "none");
  EXPECT_EQ(dominant_script("12 + 3 = 15!"), "none");
  EXPECT_EQ(dominant_script("\xFF\xFE\xC3"), "none");
  EXPECT_EQ(dominant_script("\xE1\x8E\xA0"), "other");  // Cherokee
  EXPECT_EQ(dominant_script("\xC2\xAA"), "Latin");  // U+00AA, the ordinal sign, is a Latin letter
}

}  // namespace
}  // namespace aitqe
