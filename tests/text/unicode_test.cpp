#include "aitqe/text/unicode.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using std::string_literals::operator""s;

TEST(RepairUtf8, DoesWhatPythonsDecoderDoes) {
  // Each right side is bytes.decode("utf-8", errors="replace") of Python 3.11.
  const std::vector<std::pair<std::string, std::string>> cases = {
      {""s, ""s},
      {"plain"s, "plain"s},
      {"a\0b"s, "a\0b"s},
      {"\x80"s, "\uFFFD"s},
      {"\xFF\xFE"s, "\uFFFD\uFFFD"s},
      {"\xC0\x80"s, "\uFFFD\uFFFD"s},                      // overlong NUL
      {"\xE0\x80\x80"s, "\uFFFD\uFFFD\uFFFD"s},            // overlong
      {"\xED\xA0\x80"s, "\uFFFD\uFFFD\uFFFD"s},            // surrogate
      {"\xF4\x90\x80\x80"s, "\uFFFD\uFFFD\uFFFD\uFFFD"s},  // past U+10FFFF
      {"\xF5\x80"s, "\uFFFD\uFFFD"s},
      {"\xE2\x82"s, "\uFFFD"s},  // ends within a character
      {"\xF0\x9F\x98"s, "\uFFFD"s},
      {"\xE2\x82x"s, "\uFFFDx"s},
      {"\xF0\x9F\xE2\x82\xAC"s, "\uFFFD\u20AC"s},
      {"\xC3\xC3\xA9"s, "\uFFFD\u00E9"s},
      {"\xEF\xBB\xBFx"s, "\uFEFFx"s},  // a BOM is a character
      {"\xEF\xBF\xBF"s, "\uFFFF"s},    // so is a noncharacter
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(repair_utf8(bytes), expected) << testing::PrintToString(bytes);
    EXPECT_EQ(is_valid_utf8(bytes), bytes == expected) << testing::PrintToString(bytes);
    EXPECT_TRUE(is_valid_utf8(repair_utf8(bytes)));
  }
}

TEST(RepairUtf8, LeavesEveryCharacterAsItIs) {
  std::string text;
  for (char32_t code_point = 0; code_point < 0x110000; code_point += 17) {
    if (code_point >= 0xD800 && code_point < 0xE000) continue;
    const auto put = [&](char32_t bits) { text.push_back(static_cast<char>(bits)); };
    if (code_point < 0x80) {
      put(code_point);
    } else if (code_point < 0x800) {
      put(0xC0 | (code_point >> 6));
      put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
      put(0xE0 | (code_point >> 12));
      put(0x80 | ((code_point >> 6) & 0x3F));
      put(0x80 | (code_point & 0x3F));
    } else {
      put(0xF0 | (code_point >> 18));
      put(0x80 | ((code_point >> 12) & 0x3F));
      put(0x80 | ((code_point >> 6) & 0x3F));
      put(0x80 | (code_point & 0x3F));
    }
  }
  EXPECT_EQ(repair_utf8(text), text);
}

TEST(Nfc, ComposesAndKeepsWhatIsComposed) {
  EXPECT_EQ(nfc(""), "");
  EXPECT_EQ(nfc("cafe\u0301"), "caf\u00E9");
  EXPECT_EQ(nfc("caf\u00E9"), "caf\u00E9");
  EXPECT_EQ(nfc("\u212B"), "\u00C5");              // Angstrom sign
  EXPECT_EQ(nfc("\u1112\u1161\u11AB"), "\uD55C");  // Hangul
  EXPECT_EQ(nfc("\uFB01"), "\uFB01");              // a ligature stays: canonical, not compatible
  EXPECT_EQ(nfc("\u0958"), "\u0915\u093C");        // composition exclusion
  EXPECT_EQ(nfc(">\u0338"), "\u226F");
}

TEST(Nfc, OrdersMarksByClass) {
  EXPECT_EQ(nfc("q\u0301\u0323"), "q\u0323\u0301");
  EXPECT_EQ(nfc("e\u0301\u0323"), "\u1EB9\u0301");
}

TEST(Nfc, KeepsNulAndWhatFollowsIt) { EXPECT_EQ(nfc("a\0e\u0301"s), "a\0\u00E9"s); }

TEST(Nfc, TakesHundredThousandsOfMarksInTheWrongOrder) {
  std::string text = "a";
  for (int i = 0; i < 200000; ++i) text += "\u0301";
  for (int i = 0; i < 200000; ++i) text += "\u0323";
  std::string expected = "\u1EA1";
  for (int i = 0; i < 199999; ++i) expected += "\u0323";
  for (int i = 0; i < 200000; ++i) expected += "\u0301";
  EXPECT_EQ(nfc(text), expected);
}

TEST(Nfc, RefusesWhatIsNotUtf8) {
  EXPECT_THROW(nfc("\xFF"), Error);
  EXPECT_THROW(nfc("\xC3"), Error);
}

TEST(Lower, ChangesCapitalsOfEveryScript) {
  EXPECT_EQ(lower("Red CAR 3\n"), "red car 3\n");
  EXPECT_EQ(lower("\u00D6\u0141\u0160\u0393\u0416\u0535\u10C7"),
            "\u00F6\u0142\u0161\u03B3\u0436\u0565\u2D27");
  EXPECT_EQ(lower("\u00D7\u00DF\u4E2D\U0001F600"), "\u00D7\u00DF\u4E2D\U0001F600");
  EXPECT_EQ(lower("A\0B"s), "a\0b"s);
}

TEST(Lower, LeavesBytesThatAreNoUtf8) {
  EXPECT_EQ(lower("\xC3(A\xFF\xE4\xB8"), "\xC3(a\xFF\xE4\xB8");
}

TEST(BeginsWithCapital, GoesByTheCategory) {
  for (const auto* text : {"A", "\u00D6l", "\u0141\u00F3d\u017A", "\u0535", "\u01C5ul"}) {
    EXPECT_TRUE(begins_with_capital(text)) << text;
  }
  for (const auto* text : {"", "a", "3A", "\u00D7", "\u00F6l", "\u4E2D", "\xC3"}) {
    EXPECT_FALSE(begins_with_capital(text)) << text;
  }
}

TEST(StripPython, TakesWhatPythonCallsSpace) {
  EXPECT_EQ(strip_python(""), "");
  EXPECT_EQ(strip_python(" \t\r\n\v\f"), "");
  EXPECT_EQ(strip_python("\x1C\x1D\x1E\x1F a b \x1F"), "a b");
  EXPECT_EQ(strip_python("\u0085\u00A0\u1680\u2000\u200A\u2028\u2029\u202F\u205F\u3000x\u3000"),
            "x");
}

TEST(StripPython, LeavesOtherInvisibleCharacters) {
  EXPECT_EQ(strip_python("\u200Bx\uFEFF"), "\u200Bx\uFEFF");
  EXPECT_EQ(strip_python("\0x"s), "\0x"s);
}

}  // namespace
}  // namespace aitqe
