#include "aitqe/contrast/caption_pool.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

CaptionPool pool() {
  CaptionPool made;
  made.add({"A red apple", "fruit", false});
  made.add({"A green pear", "fruit", false});
  made.add({"Flag of Poland", "flags", false});
  made.add({"Flag of Kenya", "flags", false});
  made.add({"steam engine on a bridge", "", false});
  made.add({"wooden bridge over a river", "", false});
  made.add({"Lemon SVG theme", "", true});
  made.seal();
  return made;
}

TEST(CaptionPool, TakesOthersFromOtherGroupsWithoutACommonWord) {
  const CaptionPool captions = pool();
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const auto index = captions.other("A ripe apple", "fruit", random);
    ASSERT_TRUE(index);
    EXPECT_GE(*index, 2U);
    EXPECT_FALSE(captions.at(*index).is_junk);
  }
}

TEST(CaptionPool, GivesNothingWhereEveryCaptionIsAlike) {
  CaptionPool alike;
  alike.add({"a cat", "", false});
  alike.add({"A cat!", "", false});
  alike.seal();
  Random random(1);
  EXPECT_FALSE(alike.other("a cat", "", random));
  EXPECT_FALSE(alike.near("a cat", "", random));
  EXPECT_FALSE(alike.junk(random));
}

TEST(CaptionPool, TakesNeighboursFromTheGroupAndElseByARareWord) {
  const CaptionPool captions = pool();
  Random random(1);
  EXPECT_EQ(captions.near("A red apple", "fruit", random), 1U);
  EXPECT_EQ(captions.near("steam engine on a bridge", "", random), 5U);
  EXPECT_FALSE(captions.near("nothing like it", "", random));
}

TEST(CaptionPool, TakesNoTrueTextOfTheSamePicture) {
  const CaptionPool captions = pool();
  Random random(1);
  const std::vector<std::string> known{"Wooden bridge over a river!", "...", "a green pear"};
  EXPECT_FALSE(captions.near("steam engine on a bridge", "", random, known));
  for (int i = 0; i < 200; ++i) {
    const auto index = captions.other("steam engine", "", random, known);
    ASSERT_TRUE(index);
    EXPECT_NE(*index, 1U);
    EXPECT_NE(*index, 5U);
  }
}

TEST(CaptionPool, TellsNamesFromWords) {
  const CaptionPool captions = pool();
  EXPECT_TRUE(captions.is_name("Poland"));
  EXPECT_FALSE(captions.is_name("Flag"));  // stands first
  EXPECT_FALSE(captions.is_name("apple"));
  Random random(1);
  EXPECT_EQ(captions.other_name("Poland", random), "Kenya");
}

TEST(CaptionPool, KeepsRealJunkApart) {
  const CaptionPool captions = pool();
  Random random(1);
  EXPECT_EQ(captions.junk(random), 6U);
}

}  // namespace
}  // namespace aitqe
