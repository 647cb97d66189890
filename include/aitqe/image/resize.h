#pragma once

#include "aitqe/image/decode.h"

namespace aitqe {

/// Which code does the arithmetic; both give the same bytes.
enum class ResizeKernel {
  Fastest,  ///< AVX2 where the CPU has it
  Portable  ///< plain C++
};

/// Equal bit for bit to Pillow 10.4-12.1 `Image.resize((width, height), BICUBIC)`: a = -0.5,
/// support widened by the scale when shrinking, weights of 22 fractional bits, across first and
/// then down, rounded to 8 bits between the passes; a pass that keeps its size is skipped.
/// Later Pillows go down first for some shapes: 12.2 and 12.3 when the image is more than 100 times
/// as high as wide and gets lower, 13 more often. The reference model was made before that.
/// Checked by `resize_test.cpp` and `scripts/check_pixels.py`.
/// @param width_px, height_px  at least 1
/// Safe to call from many threads.
RgbImage resize_bicubic(const RgbImage& image, int width_px, int height_px,
                        ResizeKernel kernel = ResizeKernel::Fastest);

}  // namespace aitqe
