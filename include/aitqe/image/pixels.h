#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/image/decode.h"
#include "aitqe/image/header.h"

namespace aitqe {

/// How 8-bit values become the vision tower's input (preprocessor_config.json).
struct PixelNorm {
  double rescale = 1.0 / 255.0;                    ///< `rescale_factor`
  std::array<float, 3> mean = {0.5F, 0.5F, 0.5F};  ///< `image_mean`, per channel R, G, B
  std::array<float, 3> std = {0.5F, 0.5F, 0.5F};   ///< `image_std`, not 0
};

/// Input of the vision tower.
struct Pixels {
  int side_px = 0;
  std::vector<float> chw;  ///< [3, side, side], channels R, G, B
};

/// (float(u8 * rescale) - mean) / std: the product in double, the rest in float32.
/// Source: transformers 4.41.2 `SiglipImageProcessor`; equal bit for bit.
/// @param square  an image as wide as high
Pixels to_pixels(const RgbImage& square, const PixelNorm& norm);

struct PreparedImage {
  ImageHeader header;  ///< of the encoded image, before resizing
  Pixels pixels;
};

/// Encoded bytes to model input: header, limits, decode, resize to side x side (the aspect ratio
/// is not kept), normalise.
/// Safe to call from many threads.
/// @param change  done to the decoded image before it is resized; nothing when empty
/// @throws SampleError when the image cannot be used.
PreparedImage prepare_image(std::string_view encoded, int side_px, const PixelNorm& norm,
                            const ImageLimits& limits,
                            const std::function<RgbImage(const RgbImage&)>& change = {});

/// SHA-256 over the little-endian float32 bytes of `chw`, as 64 hex digits.
std::string pixels_sha256(const Pixels& pixels);

}  // namespace aitqe
