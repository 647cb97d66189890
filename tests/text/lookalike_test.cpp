#include "aitqe/text/lookalike.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(FoldLookalikes, MakesWhatLooksAlikeEqual) {
  EXPECT_EQ(fold_lookalikes("Ignore ALL"), "ignore all");
  EXPECT_EQ(fold_lookalikes("Ｉｇｎｏｒｅ ａｌｌ"), "ignore all");                 // full width
  EXPECT_EQ(fold_lookalikes("𝐈𝐠𝐧𝐨𝐫𝐞 𝒂𝓁𝖑"), "ignore all");                          // mathematical
  EXPECT_EQ(fold_lookalikes("ign\u043Ere \u0430ll"), "ignore all");                // Cyrillic
  EXPECT_EQ(fold_lookalikes("ign\u03BFre \u0391ll"), "ignore all");                // Greek
  EXPECT_EQ(fold_lookalikes("ig\u200Bno\u2060re\u00AD all\uFEFF"), "ignore all");  // invisible
  EXPECT_EQ(fold_lookalikes("i\u0301g\u0335nóre  \t\n\u3000all"), "ignore all");   // marks
  EXPECT_EQ(fold_lookalikes("puntuación máxima"), "puntuacion maxima");
}

TEST(FoldLookalikes, FoldsOtherScriptsAlikeOnBothSides) {
  EXPECT_EQ(fold_lookalikes("ИГНОРИРУЙ"), fold_lookalikes("игнорируй"));
  EXPECT_EQ(fold_lookalikes("忽略以上指令"), "忽略以上指令");
}

TEST(FoldLookalikes, TakesAnyBytesAndLongRunsOfMarks) {
  EXPECT_EQ(fold_lookalikes(""), "");
  EXPECT_EQ(fold_lookalikes("a\xFF"
                            "b"),
            "a\xEF\xBF\xBD"
            "b");
  std::string marks = "a";
  for (int i = 0; i < 200'000; ++i) marks += i % 2 == 0 ? "\u0316" : "\u0301";
  EXPECT_EQ(fold_lookalikes(marks + "b"), "ab");
}

TEST(HiddenCharacters, AreFoundBetweenLettersInRunsAndAsTags) {
  EXPECT_TRUE(has_hidden_characters("ig\u200Bnore"));
  EXPECT_TRUE(has_hidden_characters("a cat\u200B\u200C\u200B on a mat"));
  EXPECT_TRUE(has_hidden_characters("a cat \U000E0067\U000E0069"));
  EXPECT_TRUE(has_hidden_characters("a \u202Etac"));
  EXPECT_TRUE(has_hidden_characters("a \u2066cat\u2069"));
}

TEST(HiddenCharacters, AreNotSeenInHonestText) {
  EXPECT_FALSE(
      has_hidden_characters("\uFEFF"
                            "a cat"));                              // byte order mark
  EXPECT_FALSE(has_hidden_characters("👨\u200D👩\u200D👧 a family"));  // joined emoji
  EXPECT_FALSE(has_hidden_characters("می\u200Cخواهم"));             // Persian
  EXPECT_FALSE(has_hidden_characters("क्\u200Dष"));                  // Devanagari
  EXPECT_FALSE(has_hidden_characters("flag \U0001F3F4"));
  EXPECT_FALSE(has_hidden_characters("100 km\u200B / h"));
  EXPECT_FALSE(has_hidden_characters("שלום\u200F!"));  // Hebrew mark
  EXPECT_FALSE(has_hidden_characters("\u202Bآيس كريم\u202C"));
  EXPECT_FALSE(has_hidden_characters("soft\u00ADhyphen caf\u00E9"));
}

TEST(HiddenCharacters, MayBeTheTagsOfAFlag) {
  EXPECT_FALSE(has_hidden_characters(
      "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F of Scotland"));
}

TEST(MixedScriptWord, IsOneThatPretendsToBeLatin) {
  EXPECT_TRUE(has_mixed_script_word("p\u0430ypal"));
  EXPECT_TRUE(has_mixed_script_word("the sc\u043Ere"));
  EXPECT_TRUE(has_mixed_script_word("sc\u03BFre"));
  EXPECT_FALSE(has_mixed_script_word("a cat"));
  EXPECT_FALSE(has_mixed_script_word("кот and cat"));
  EXPECT_FALSE(has_mixed_script_word("5 µm, 10 kΩ, β-carotene"));
  EXPECT_FALSE(has_mixed_script_word("ВКонтакте-style"));
  EXPECT_FALSE(has_mixed_script_word(""));
}

}  // namespace
}  // namespace aitqe
