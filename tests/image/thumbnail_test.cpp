#include "aitqe/image/thumbnail.h"

#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "aitqe/image/decode.h"
#include "image/image_files.h"

namespace aitqe {
namespace {

TEST(Thumbnail, KeepsTheAspectRatioAndIsAJpeg) {
  ThumbnailOptions options;
  options.max_side_px = 100;
  const RgbImage small = decode_rgb(make_thumbnail(image_file("jpeg-30x4000.jpg"), options), {});
  EXPECT_EQ(small.height_px, 100);
  EXPECT_EQ(small.width_px, 1);
}

TEST(Thumbnail, KeepsColoursInTheirPlaces) {
  const std::string encoded = image_file("bmp-24.bmp");
  const RgbImage full = decode_rgb(encoded, {});
  const RgbImage small =
      decode_rgb(make_thumbnail(encoded, {.max_side_px = 4096, .quality = 100}), {});
  ASSERT_EQ(small.rgb.size(), full.rgb.size());  // not enlarged
  std::array<double, 3> difference{};
  for (std::size_t i = 0; i < full.rgb.size(); ++i) {
    difference.at(i % 3) += static_cast<double>(small.rgb[i]) - full.rgb[i];
  }
  for (const double sum : difference) {
    EXPECT_NEAR(sum / static_cast<double>(full.rgb.size() / 3), 0.0, 2.0);
  }
}

TEST(Thumbnail, IsTheSameForTheSameImage) {
  EXPECT_EQ(make_thumbnail(image_file("jpeg-420.jpg")), make_thumbnail(image_file("jpeg-420.jpg")));
}

TEST(Thumbnail, OfABrokenOrHugeImageIsRefused) {
  EXPECT_THROW(make_thumbnail("no image"), SampleError);
  EXPECT_THROW(make_thumbnail(image_file("jpeg-bomb.jpg")), SampleError);
  EXPECT_THROW(make_thumbnail(image_file("jpeg-cut.jpg")), SampleError);
}

}  // namespace
}  // namespace aitqe
