#include "aitqe/train/augment.h"

#include <gtest/gtest.h>

#include <set>

namespace aitqe {
namespace {

/// Every pixel says where it was: red = column, green = row.
RgbImage map_of_places(int width_px, int height_px) {
  RgbImage image;
  image.width_px = width_px;
  image.height_px = height_px;
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < width_px; ++x) {
      image.rgb.push_back(static_cast<std::uint8_t>(x));
      image.rgb.push_back(static_cast<std::uint8_t>(y));
      image.rgb.push_back(7);
    }
  }
  return image;
}

TEST(Augment, GivesARectangleOfThePictureSometimesMirrored) {
  const RgbImage image = map_of_places(80, 40);
  Random random(1);
  int num_mirrored = 0;
  std::set<std::pair<int, int>> sizes;
  for (int round = 0; round < 200; ++round) {
    const RgbImage part = augment(image, random);
    ASSERT_GE(part.width_px, 60);
    ASSERT_LE(part.width_px, 80);
    ASSERT_GE(part.height_px, 30);
    ASSERT_LE(part.height_px, 40);
    ASSERT_EQ(part.rgb.size(), 3U * static_cast<std::size_t>(part.width_px * part.height_px));
    sizes.insert({part.width_px, part.height_px});
    const int step = part.rgb[3] - part.rgb[0];
    ASSERT_TRUE(step == 1 || step == -1);
    num_mirrored += step == -1 ? 1 : 0;
    for (int y = 0; y < part.height_px; ++y) {
      for (int x = 0; x < part.width_px; ++x) {
        const std::size_t at = 3U * static_cast<std::size_t>(y * part.width_px + x);
        ASSERT_EQ(part.rgb[at], part.rgb[0] + step * x);
        ASSERT_EQ(part.rgb[at + 1], part.rgb[1] + y);
        ASSERT_EQ(part.rgb[at + 2], 7);
      }
    }
  }
  EXPECT_GT(num_mirrored, 60);
  EXPECT_LT(num_mirrored, 140);
  EXPECT_GT(sizes.size(), 50U);
}

TEST(Augment, DependsOnTheSeedAloneAndTakesOnePixel) {
  const RgbImage image = map_of_places(50, 50);
  Random one(5);
  Random same(5);
  EXPECT_EQ(augment(image, one).rgb, augment(image, same).rgb);
  EXPECT_EQ(augment(map_of_places(1, 1), one).rgb, map_of_places(1, 1).rgb);
}

}  // namespace
}  // namespace aitqe
