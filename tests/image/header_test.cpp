#include "aitqe/image/header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image/image_files.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

std::string header_refusal(const std::string& encoded) {
  return sample_error_of([&] { read_header(encoded); });
}

TEST(ReadHeader, TellsFormatAndSizeFromTheBytesAlone) {
  struct Case {
    const char* file;
    ImageFormat format;
    int width_px, height_px;
    ImageColor color;
    int bits;
  };
  const Case cases[] = {
      {"jpeg-420.jpg", ImageFormat::Jpeg, 33, 17, ImageColor::Rgb, 8},
      {"jpeg-cmyk.jpg", ImageFormat::Jpeg, 21, 18, ImageColor::Cmyk, 8},
      {"jpeg-progressive-gray.jpg", ImageFormat::Jpeg, 40, 9, ImageColor::Gray, 8},
      {"png-type3-4bit.png", ImageFormat::Png, 19, 13, ImageColor::Palette, 4},
      {"png-type4-16bit.png", ImageFormat::Png, 19, 13, ImageColor::GrayAlpha, 16},
      {"webp-lossless-alpha.webp", ImageFormat::Webp, 25, 14, ImageColor::Rgba, 8},
      {"gif-larger-screen.gif", ImageFormat::Gif, 30, 20, ImageColor::Palette, 8},
      {"bmp-24.bmp", ImageFormat::Bmp, 17, 9, ImageColor::Rgb, 8},
  };
  for (const Case& expected : cases) {
    SCOPED_TRACE(expected.file);
    const ImageHeader header = read_header(image_file(expected.file));
    EXPECT_EQ(header.format, expected.format);
    EXPECT_EQ(header.width_px, expected.width_px);
    EXPECT_EQ(header.height_px, expected.height_px);
    EXPECT_EQ(header.color, expected.color);
    EXPECT_EQ(header.bits_per_channel, expected.bits);
  }
}

TEST(ReadHeader, DoesNotTrustTheFileName) {
  EXPECT_EQ(read_header(image_file("png-named.jpg")).format, ImageFormat::Png);
}

TEST(ReadHeader, DoesNotApplyExifRotation) {
  const ImageHeader header = read_header(image_file("jpeg-exif-rotated.jpg"));
  EXPECT_EQ(header.width_px, 33);
  EXPECT_EQ(header.height_px, 17);
}

TEST(ReadHeader, SeesAnimation) {
  EXPECT_TRUE(read_header(image_file("png-animated.png")).animated);
  EXPECT_TRUE(read_header(image_file("webp-animated.webp")).animated);
  EXPECT_FALSE(read_header(image_file("webp-lossy.webp")).animated);
}

TEST(ReadHeader, SaysWhatItFoundInsteadOfAnImage) {
  EXPECT_EQ(header_refusal(""), "empty_image: image is empty (0 bytes)");
  EXPECT_EQ(header_refusal(image_file("html.jpg")),
            "not_an_image: not an image (starts with '<!DOCTYPE')");
  EXPECT_EQ(header_refusal("{\"error\": 404}"),
            "not_an_image: not an image (starts with '{\"error\":')");
  EXPECT_EQ(header_refusal(std::string("\0\x1b\xfe", 3)),
            "not_an_image: not an image (starts with bytes 00 1b fe)");
}

TEST(ReadHeader, NamesFormatsThatItKnowsAndDoesNotDecode) {
  EXPECT_EQ(
      header_refusal(image_file("tiff.tif")),
      "unsupported_image: unsupported image format TIFF, expected JPEG, PNG, WebP, GIF or BMP");
  EXPECT_THAT(header_refusal(image_file("svg.svg")), HasSubstr("format SVG"));
  EXPECT_THAT(header_refusal("<svg xmlns='http://www.w3.org/2000/svg'/>"), HasSubstr("format SVG"));
  EXPECT_THAT(header_refusal(image_file("psd.psd")), HasSubstr("format PSD"));
  EXPECT_THAT(header_refusal(image_file("heic.heic")), HasSubstr("format HEIC"));
  EXPECT_THAT(header_refusal(image_file("avif.avif")), HasSubstr("format AVIF"));
}

TEST(ReadHeader, RefusesZeroDimensions) {
  EXPECT_EQ(header_refusal(image_file("png-zero-width.png")),
            "broken_image: PNG image is 0x10 px, both sides must be at least 1 px");
  EXPECT_EQ(header_refusal(image_file("jpeg-zero-height.jpg")),
            "broken_image: JPEG image is 33x0 px, both sides must be at least 1 px");
}

TEST(ReadHeader, RefusesATruncatedHeaderAtEveryByte) {
  for (const char* file :
       {"jpeg-420.jpg", "png-type2-8bit.png", "webp-lossy.webp", "gif-palette.gif", "bmp-24.bmp"}) {
    SCOPED_TRACE(file);
    const std::string encoded = image_file(file);
    for (std::size_t size = 0; size < 20; ++size) {
      EXPECT_NE(header_refusal(encoded.substr(0, size)), "no error") << size;
    }
  }
  EXPECT_THAT(header_refusal(image_file("jpeg-cut-header.jpg")),
              HasSubstr("truncated_image: truncated JPEG header"));
}

TEST(ReadHeader, TakesABombForWhatItSays) {
  const ImageHeader header = read_header(image_file("png-huge.png"));
  EXPECT_EQ(header.width_px, 65535);
  EXPECT_EQ(header.height_px, 65535);
}

TEST(CheckLimits, NamesTheOptionOfTheLimit) {
  const ImageHeader header{ImageFormat::Png, 12000, 9000, ImageColor::Rgb, 8, false};
  EXPECT_EQ(sample_error_of([&] { check_limits(header, {}); }), "no error");
  EXPECT_EQ(sample_error_of([&] { check_limits(header, {.max_side_px = 8192}); }),
            "image_too_large: image is 12000x9000 px, limit is 8192 px a side (--max-side-px)");
  EXPECT_EQ(sample_error_of([&] { check_limits(header, {.max_pixels = 25'000'000}); }),
            "image_too_large: image is 12000x9000 px (108000000 pixels), limit is 25000000 pixels "
            "(--max-pixels)");
}

TEST(CheckLimits, AllowsExactlyTheLimit) {
  const ImageHeader header{ImageFormat::Png, 100, 50, ImageColor::Rgb, 8, false};
  const ImageLimits limits{.max_side_px = 100, .max_pixels = 5000};
  EXPECT_NO_THROW(check_limits(header, limits));
}

TEST(CheckEncodedSize, NamesTheOption) {
  EXPECT_EQ(sample_error_of([] { check_encoded_size("12345", {.max_encoded_bytes = 4}); }),
            "image_too_large: image file has 5 bytes, limit is 4 (--max-encoded-bytes)");
}

}  // namespace
}  // namespace aitqe
