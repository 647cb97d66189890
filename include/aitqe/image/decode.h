#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aitqe/image/limits.h"

namespace aitqe {

/// Eight-bit RGB.
struct RgbImage {
  int width_px = 0;
  int height_px = 0;
  std::vector<std::uint8_t> rgb;  ///< [height, width, 3], row by row, no padding
};

/// The first picture of an encoded image, equal to Pillow 12.3
/// `Image.open(...).convert("RGB")`; checked by `decode_test.cpp` and `scripts/check_pixels.py`.
///
/// Equal bit for bit:
///  - JPEG: 8-bit gray, RGB and YCbCr in every subsampling, CMYK and YCCK (taken as inverted, by
///    Pillow's integer formula), baseline, progressive and arithmetic, any size;
///  - PNG: every colour type and depth, interlaced or not, first picture of an animated one.
///    16-bit gray is min(v, 255), other 16-bit channels keep the high byte, 1-bit is 0 or 255;
///  - WebP: lossy, lossless, with alpha, first picture of an animated one;
///  - GIF: first picture;
///  - BMP: uncompressed 8-bit palette or gray, 24-bit and 32-bit.
/// Alpha, palette transparency, tRNS, EXIF rotation and ICC profiles are ignored.
///
/// Refused as Pillow refuses: truncated data, a wrong checksum before a PNG's pixels, text or ICC
/// chunks that inflate beyond 1 MiB. Accepted as Pillow accepts: bytes after the end, a PNG
/// without IEND, a JPEG without end marker if its rows are whole, damaged JPEG data that libjpeg
/// can conceal.
///
/// Not equal, all refused here:
///  - formats outside the list above and BMP with 1, 4 or 16 bits, RLE or bit fields;
///  - a PNG whose compressed data ends early but at the end of a row (Pillow: rest is black);
///  - an animated PNG whose first picture is smaller than its canvas, or comes in fdAT;
///  - a JPEG with more than 500 scans (a way to burn hours in a small file), and lossless JPEG;
///  - images over `limits`.
/// Pixels of *damaged* JPEG and WebP data depend on the version of the codec library.
///
/// Decoders: libjpeg-turbo, libpng and libwebp themselves, because OpenCV 4.6 gives other pixels
/// (CMYK, 16-bit, alpha) or a partly filled picture without an error (truncated files); our own
/// for GIF, which OpenCV 4.6 does not read; OpenCV's `imdecode` for BMP, once the header and the
/// length have been checked here.
/// No shared state; safe to call from many threads.
/// @throws SampleError when the image cannot be used.
RgbImage decode_rgb(std::string_view encoded, const ImageLimits& limits);

}  // namespace aitqe
