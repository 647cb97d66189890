// Equality with Pillow on whole files is in decode_test.cpp; this is about shapes and kernels.
#include "aitqe/image/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace aitqe {
namespace {

using testing::Each;
using testing::ElementsAre;

RgbImage noise(int width_px, int height_px) {
  std::mt19937 random(7);
  RgbImage image{width_px, height_px, {}};
  const int num_bytes = 3 * width_px * height_px;
  for (int i = 0; i < num_bytes; ++i) image.rgb.push_back(random() % 256);
  return image;
}

TEST(ResizeBicubic, GivesPillowsNumbersOnFourPixels) {
  const RgbImage image{4, 1, {0, 10, 255, 0, 10, 255, 255, 20, 0, 255, 20, 0}};
  EXPECT_THAT(resize_bicubic(image, 2, 1).rgb, ElementsAre(21, 11, 234, 234, 19, 21));
  EXPECT_THAT(resize_bicubic(image, 1, 1).rgb, ElementsAre(128, 15, 128));
}

TEST(ResizeBicubic, CopiesWhenTheSizeIsTheSame) {
  const RgbImage image = noise(5, 3);
  EXPECT_EQ(resize_bicubic(image, 5, 3).rgb, image.rgb);
}

TEST(ResizeBicubic, KeepsAFlatImageFlat) {
  const RgbImage flat{37, 11, std::vector<std::uint8_t>(37 * 11 * 3, 201)};
  for (const int side : {1, 2, 28, 100, 384}) {
    EXPECT_THAT(resize_bicubic(flat, side, side).rgb, Each(201)) << side;
  }
}

TEST(ResizeBicubic, SpreadsASinglePixel) {
  const RgbImage pixel{1, 1, {1, 2, 3}};
  EXPECT_THAT(resize_bicubic(pixel, 2, 1).rgb, ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST(ResizeBicubic, GoesAcrossFirstWhateverTheShape) {
  for (const auto& [width, height] : {std::pair{3, 700}, {700, 3}, {30, 4000}, {50, 60}}) {
    const RgbImage image = noise(width, height);
    const RgbImage in_two_steps = resize_bicubic(resize_bicubic(image, 64, height), 64, 64);
    EXPECT_EQ(resize_bicubic(image, 64, 64).rgb, in_two_steps.rgb) << width << "x" << height;
  }
}

TEST(ResizeBicubic, GivesTheSameBytesWithAndWithoutAvx2) {
  const std::pair<int, int> sizes[] = {{1, 1},     {1, 9},     {9, 1},    {2, 3},
                                       {5, 5},     {31, 33},   {64, 48},  {97, 61},
                                       {1000, 20}, {20, 1000}, {4000, 2}, {300, 200}};
  for (const auto& [width, height] : sizes) {
    const RgbImage image = noise(width, height);
    for (const auto& [to_width, to_height] : sizes) {
      const RgbImage fastest = resize_bicubic(image, to_width, to_height);
      const RgbImage portable = resize_bicubic(image, to_width, to_height, ResizeKernel::Portable);
      EXPECT_EQ(fastest.rgb, portable.rgb)
          << width << "x" << height << " to " << to_width << "x" << to_height;
    }
  }
}

}  // namespace
}  // namespace aitqe
