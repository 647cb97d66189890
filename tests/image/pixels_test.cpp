#include "aitqe/image/pixels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "image/image_files.h"

namespace aitqe {
namespace {

using testing::ElementsAre;

TEST(ToPixels, PutsChannelsFirst) {
  const RgbImage square{2, 2, {0, 255, 0, 0, 255, 0, 255, 255, 0, 255, 0, 255}};
  const Pixels pixels = to_pixels(square, {});
  EXPECT_EQ(pixels.side_px, 2);
  EXPECT_THAT(pixels.chw, ElementsAre(-1, -1, 1, 1, 1, 1, 1, -1, -1, -1, -1, 1));
}

TEST(ToPixels, RoundsAsNumpyDoes) {
  // numpy: (float32(100 * 0.00392156862745098) - float32(0.5)) / float32(0.5)
  const Pixels pixels = to_pixels({1, 1, {100, 1, 254}}, {});
  EXPECT_EQ(pixels.chw[0], -0x1.b9b9b80000000p-3F);
  EXPECT_EQ(pixels.chw[1], -0x1.fbfbfc0000000p-1F);
  EXPECT_EQ(pixels.chw[2], 0x1.fbfbfc0000000p-1F);
}

TEST(ToPixels, TakesMeanAndStdPerChannel) {
  const PixelNorm norm{1.0, {1.0F, 2.0F, 3.0F}, {1.0F, 2.0F, 4.0F}};
  EXPECT_THAT(to_pixels({1, 1, {5, 6, 7}}, norm).chw, ElementsAre(4.0F, 2.0F, 1.0F));
}

TEST(PixelsSha256, IsOfTheLittleEndianFloats) {
  // sha256 of 00 00 80 3f, which is 1.0f
  EXPECT_EQ(pixels_sha256({1, {1.0F}}),
            "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c");
}

TEST(PrepareImage, KeepsTheHeaderOfTheOriginal) {
  const PreparedImage prepared = prepare_image(image_file("jpeg-420.jpg"), 28, {}, {});
  EXPECT_EQ(prepared.header.width_px, 33);
  EXPECT_EQ(prepared.pixels.side_px, 28);
  EXPECT_EQ(prepared.pixels.chw.size(), 3U * 28 * 28);
}

TEST(PrepareImage, GivesTheSamePixelsOnManyThreads) {
  const std::string encoded = image_file("jpeg-progressive.jpg");
  const std::string expected = pixels_sha256(prepare_image(encoded, 56, {}, {}).pixels);
  std::vector<std::string> found(4);
  std::vector<std::thread> threads;
  for (std::string& sha256 : found) {
    threads.emplace_back([&encoded, &sha256] {
      for (int i = 0; i < 20; ++i) {
        sha256 = pixels_sha256(prepare_image(encoded, 56, {}, {}).pixels);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(found, testing::Each(expected));
}

}  // namespace
}  // namespace aitqe
