// Reads lines "WIDTH HEIGHT PATH" from stdin; for each prints one line:
//   "ok WIDTH HEIGHT RGB_SHA256 RESIZED_SHA256 PORTABLE_RESIZED_SHA256 PIXELS_SHA256" or
//   "error MESSAGE".
// WIDTH HEIGHT in the input is the target of the resize; the pixels are of a WIDTH x WIDTH resize.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/image/decode.h"
#include "aitqe/image/pixels.h"
#include "aitqe/image/resize.h"

namespace {

std::string sha256_of(const aitqe::RgbImage& image) {
  aitqe::Sha256 hash;
  hash.update(image.rgb.data(), image.rgb.size());
  return hash.hex_digest();
}

std::string describe(const std::string& path, int width_px, int height_px) {
  std::ifstream file(path, std::ios::binary);
  const std::string encoded((std::istreambuf_iterator<char>(file)), {});
  try {
    const aitqe::ImageLimits limits;
    const aitqe::RgbImage image = aitqe::decode_rgb(encoded, limits);
    const aitqe::RgbImage resized = aitqe::resize_bicubic(image, width_px, height_px);
    const aitqe::RgbImage portable =
        aitqe::resize_bicubic(image, width_px, height_px, aitqe::ResizeKernel::Portable);
    const aitqe::PreparedImage prepared = aitqe::prepare_image(encoded, width_px, {}, limits);
    return "ok " + std::to_string(image.width_px) + " " + std::to_string(image.height_px) + " " +
           sha256_of(image) + " " + sha256_of(resized) + " " + sha256_of(portable) + " " +
           aitqe::pixels_sha256(prepared.pixels);
  } catch (const aitqe::SampleError& e) {
    return std::string("error ") + e.what();
  }
}

}  // namespace

int main() {
  int width_px = 0;
  int height_px = 0;
  std::string path;
  while (std::cin >> width_px >> height_px && std::getline(std::cin >> std::ws, path)) {
    std::cout << describe(path, width_px, height_px) << std::endl;
  }
  return 0;
}
