#include "aitqe/image/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/hash.h"
#include "aitqe/image/pixels.h"
#include "aitqe/image/resize.h"
#include "image/image_files.h"

namespace aitqe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RgbImage decode_file(const std::string& name) { return decode_rgb(image_file(name), {}); }

std::string decode_refusal(const std::string& name) {
  return sample_error_of([&] { decode_file(name); });
}

std::string rgb_sha256(const RgbImage& image) {
  return sha256_hex({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
}

/// "224x160" -> the image resized to that.
RgbImage resized(const RgbImage& image, const std::string& size) {
  const std::size_t cross = size.find('x');
  return resize_bicubic(image, std::stoi(size.substr(0, cross)), std::stoi(size.substr(cross + 1)));
}

TEST(DecodeRgb, GivesPillowsPixelsForEveryFileThatPillowOpens) {
  int num_compared = 0;
  for (const auto& [name, expected] : image_vectors().items()) {
    if (expected.contains("error") || expected.contains("refused")) continue;
    SCOPED_TRACE(name);
    const std::string encoded = image_file(name);
    const RgbImage image = decode_rgb(encoded, {});
    EXPECT_EQ(image.width_px, expected["size"][0]);
    EXPECT_EQ(image.height_px, expected["size"][1]);
    EXPECT_EQ(rgb_sha256(image), expected["rgb"]);
    for (const auto& [size, sha256] : expected["resized"].items()) {
      EXPECT_EQ(rgb_sha256(resized(image, size)), sha256) << size;
    }
    for (const auto& [side, sha256] : expected["pixels"].items()) {
      const PreparedImage prepared = prepare_image(encoded, std::stoi(side), {}, {});
      EXPECT_EQ(pixels_sha256(prepared.pixels), sha256) << side;
    }
    ++num_compared;
  }
  EXPECT_GE(num_compared, 60);
}

TEST(DecodeRgb, RefusesEveryFileThatPillowRefuses) {
  int num_refused = 0;
  for (const auto& [name, expected] : image_vectors().items()) {
    if (!expected.contains("error")) continue;
    EXPECT_NE(decode_refusal(name), "no error") << name;
    ++num_refused;
  }
  EXPECT_GE(num_refused, 25);
}

TEST(DecodeRgb, RefusesByDecisionWhatIsNotWorthADecoder) {
  for (const auto& [name, expected] : image_vectors().items()) {
    if (!expected.contains("refused")) continue;
    EXPECT_THAT(decode_refusal(name), HasSubstr(expected["refused"].get<std::string>())) << name;
  }
}

TEST(DecodeRgb, ClipsSixteenBitGray) {
  // The first row holds 0, 30, 60, ..., 540.
  const RgbImage image = decode_file("png-type0-16bit.png");
  EXPECT_EQ(image.rgb[3 * 8], 240);
  EXPECT_EQ(image.rgb[3 * 9], 255);
  EXPECT_EQ(image.rgb[3 * 18], 255);
}

TEST(DecodeRgb, RefusesABombBeforeDecoding) {
  EXPECT_EQ(decode_refusal("png-huge.png"),
            "image_too_large: image is 65535x65535 px, limit is 16384 px a side (--max-side-px)");
  EXPECT_EQ(decode_refusal("jpeg-bomb.jpg"),
            "image_too_large: image is 65535x65535 px, limit is 16384 px a side (--max-side-px)");
}

TEST(DecodeRgb, SaysThatAFileIsTruncated) {
  EXPECT_EQ(decode_refusal("jpeg-cut.jpg"),
            "truncated_image: truncated JPEG: the file ends before the last row");
  EXPECT_EQ(decode_refusal("png-cut-pixels.png"),
            "broken_image: broken PNG: the file ends before the last row");
  EXPECT_THAT(decode_refusal("webp-cut.webp"),
              HasSubstr("truncated_image: truncated or broken WebP"));
  EXPECT_EQ(decode_refusal("gif-cut.gif"),
            "truncated_image: truncated GIF: the file ends before the last row");
  EXPECT_EQ(decode_refusal("bmp-cut.bmp"),
            "truncated_image: truncated BMP: 517 bytes, 521 expected");
}

TEST(DecodeRgb, RefusesTextAndProfileBombs) {
  EXPECT_EQ(decode_refusal("png-text-bomb.png"),
            "broken_image: broken PNG chunk 'zTXt': inflates to more than 1 MiB");
  EXPECT_EQ(decode_refusal("png-itxt-bomb.png"),
            "broken_image: broken PNG chunk 'iTXt': inflates to more than 1 MiB");
  EXPECT_EQ(decode_refusal("png-profile-bomb.png"),
            "broken_image: broken PNG chunk 'iCCP': inflates to more than 1 MiB");
}

TEST(DecodeRgb, RefusesAnEncodedFileOverTheLimit) {
  const ImageLimits limits{.max_encoded_bytes = 100};
  EXPECT_THAT(sample_error_of([&] { decode_rgb(image_file("jpeg-420.jpg"), limits); }),
              HasSubstr("--max-encoded-bytes"));
}

}  // namespace
}  // namespace aitqe
