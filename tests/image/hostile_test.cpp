// Damaged files: every outcome is a picture of the promised size or a SampleError. Meant to be run
// under AddressSanitizer too.
#include <gtest/gtest.h>

#include "aitqe/image/decode.h"
#include "aitqe/image/header.h"
#include "image/image_files.h"

namespace aitqe {
namespace {

constexpr ImageLimits kSmall{.max_side_px = 400, .max_pixels = 20'000};

/// True when it could be decoded.
bool survives(const std::string& encoded) {
  try {
    const RgbImage image = decode_rgb(encoded, kSmall);
    const ImageHeader header = read_header(encoded);
    EXPECT_EQ(image.width_px, header.width_px);
    EXPECT_EQ(image.height_px, header.height_px);
    EXPECT_EQ(image.rgb.size(), std::size_t{3} * static_cast<std::size_t>(image.width_px) *
                                    static_cast<std::size_t>(image.height_px));
    return true;
  } catch (const SampleError&) {
    return false;
  }
}

std::vector<std::string> small_files() {
  constexpr std::size_t kMaxBytes = 1200;
  std::vector<std::string> files;
  for (const auto& [name, expected] : image_vectors().items()) {
    std::string encoded = image_file(name);
    if (encoded.size() <= kMaxBytes) files.push_back(std::move(encoded));
  }
  return files;
}

TEST(HostileImages, TruncationAtEveryByteIsAPictureOrASampleError) {
  for (const std::string& encoded : small_files()) {
    for (std::size_t size = 0; size < encoded.size(); ++size) survives(encoded.substr(0, size));
  }
}

TEST(HostileImages, AWrongByteAnywhereIsAPictureOrASampleError) {
  for (const std::string& encoded : small_files()) {
    for (std::size_t at = 0; at < encoded.size(); ++at) {
      std::string damaged = encoded;
      damaged[at] = static_cast<char>(damaged[at] ^ (at % 2 == 0 ? 0xff : 1 << at % 7));
      survives(damaged);
    }
  }
}

TEST(HostileImages, BytesMissingFromTheMiddleAreAPictureOrASampleError) {
  for (const std::string& encoded : small_files()) {
    for (std::size_t at = 8; at + 7 < encoded.size(); at += 5) {
      std::string damaged = encoded;
      survives(damaged.erase(at, 7));
    }
  }
}

/// A progressive JPEG whose first scan is repeated `num_scans` times.
std::string many_scans(std::size_t num_scans) {
  const std::string encoded = image_file("jpeg-progressive-gray.jpg");
  const std::size_t scan = encoded.find("\xff\xda");
  const std::size_t after = encoded.find("\xff\xc4", scan);  // the next scan's tables
  std::string result = encoded.substr(0, scan);
  for (std::size_t i = 0; i < num_scans; ++i) result += encoded.substr(scan, after - scan);
  return result + "\xff\xd9";
}

TEST(HostileImages, AJpegOfEndlessScansIsRefused) {
  EXPECT_TRUE(survives(many_scans(20)));
  EXPECT_EQ(sample_error_of([] { decode_rgb(many_scans(2000), kSmall); }),
            "image_too_large: JPEG with more than 500 scans");
}

TEST(HostileImages, AWebpThatClaimsAnotherSizeInsideIsRefused) {
  std::string encoded = image_file("webp-animated.webp");
  const std::size_t canvas_width = 24;  // VP8X: three bytes, minus one
  encoded[canvas_width] = 1;
  EXPECT_FALSE(survives(encoded));
}

}  // namespace
}  // namespace aitqe
