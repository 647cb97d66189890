#include "aitqe/text/language.h"

#include <gtest/gtest.h>

#include <string>

namespace aitqe {
namespace {

TEST(LikelyLanguage, TellsSentencesApart) {
  EXPECT_EQ(likely_language("a small brown dog is sitting on the grass beside a tree"), "en");
  EXPECT_EQ(likely_language("ein kleiner brauner Hund sitzt neben einem Baum auf der Wiese"), "de");
  EXPECT_EQ(likely_language("un petit chien brun est assis sur l'herbe avec son ma\xC3\xAEtre"),
            "fr");
  EXPECT_EQ(
      likely_language("\xD0\xBC\xD0\xB0\xD0\xBB\xD0\xB5\xD0\xBD\xD1\x8C\xD0\xBA\xD0\xB0\xD1\x8F "
                      "\xD1\x81\xD0\xBE\xD0\xB1\xD0\xB0\xD0\xBA\xD0\xB0 \xD1\x81\xD0\xB8\xD0\xB4"
                      "\xD0\xB8\xD1\x82 \xD0\xBD\xD0\xB0 \xD1\x82\xD1\x80\xD0\xB0\xD0\xB2\xD0\xB5"),
      "ru");  // a small dog sits on the grass
}

TEST(LikelyLanguage, SaysWhereItCannotTell) {
  EXPECT_EQ(likely_language(""), "unknown");
  EXPECT_EQ(likely_language("IMG_0042.jpg"), "unknown");
  EXPECT_EQ(likely_language("\xFF\xFE\xC3"), "unknown");
}

TEST(LikelyLanguage, OfALongTextLooksAtTheBeginning) {
  std::string text;
  while (text.size() < 100'000) text += "the quick brown fox jumps over the lazy dog \xE2\x80\x93 ";
  EXPECT_EQ(likely_language(text), "en");
}

}  // namespace
}  // namespace aitqe
