#include "aitqe/image/pixels.h"

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "aitqe/base/hash.h"
#include "aitqe/image/resize.h"

namespace aitqe {
namespace {

/// The 256 results one channel can have.
std::array<float, 256> channel_values(const PixelNorm& norm, std::size_t channel) {
  std::array<float, 256> values{};
  for (int u8 = 0; u8 < 256; ++u8) {
    const auto rescaled = static_cast<float>(u8 * norm.rescale);
    values[static_cast<std::size_t>(u8)] = (rescaled - norm.mean[channel]) / norm.std[channel];
  }
  return values;
}

}  // namespace

Pixels to_pixels(const RgbImage& square, const PixelNorm& norm) {
  assert(square.width_px == square.height_px);
  const std::size_t plane = square.rgb.size() / 3;
  Pixels pixels;
  pixels.side_px = square.width_px;
  pixels.chw.resize(3 * plane);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const std::array<float, 256> values = channel_values(norm, channel);
    const std::uint8_t* from = square.rgb.data() + channel;
    float* to = pixels.chw.data() + channel * plane;
    for (std::size_t i = 0; i < plane; ++i) to[i] = values[from[3 * i]];
  }
  return pixels;
}

PreparedImage prepare_image(std::string_view encoded, int side_px, const PixelNorm& norm,
                            const ImageLimits& limits,
                            const std::function<RgbImage(const RgbImage&)>& change) {
  check_encoded_size(encoded, limits);
  const ImageHeader header = read_header(encoded);
  RgbImage image = decode_rgb(encoded, limits);
  if (change) image = change(image);
  return {header, to_pixels(resize_bicubic(image, side_px, side_px), norm)};
}

std::string pixels_sha256(const Pixels& pixels) {
  static_assert(std::endian::native == std::endian::little);
  Sha256 hash;
  hash.update(pixels.chw.data(), pixels.chw.size() * sizeof(float));
  return hash.hex_digest();
}

}  // namespace aitqe
