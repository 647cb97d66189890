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
/// Refused as Pillow refuses: truncated data (a JPEG that lacks only its end marker counts), a
/// wrong checksum before a PNG's pixels, text or ICC chunks that inflate beyond 1 MiB.
/// Accepted as Pillow accepts: bytes after the end, a wrong checksum of a PNG's pixels, a PNG
/// without IEND, damaged JPEG data that libjpeg can conceal.
///
/// Not equal, all refused here:
///  - formats outside the list above and BMP with 1, 4 or 16 bits, RLE or bit fields;
///  - a PNG whose compressed data ends early but at the end of a row (Pillow: rest is black);
///  - an animated PNG whose first picture is smaller than its canvas, or comes in fdAT;
///  - a JPEG with more than 500 scans (a way to burn hours in a small file), and lossless JPEG;
///  - images over `limits`.
/// Pixels of *damaged* JPEG and WebP data depend on the version of the codec library.
///
/// Decoders: libjpeg-turbo, libpng and libwebp themselves. OpenCV 4.6 was tried on the files of
/// tests/data/image: it gives other pixels for CMYK JPEG and 16-bit gray PNG, fills up truncated
/// JPEGs without an error, refuses PNGs without IEND and most of the WebPs, and cannot read GIF,
/// which has a decoder of our own. It equals Pillow on BMP and is used there, once the header and
/// the length have been checked here.
/// No shared state; safe to call from many threads.
/// @throws SampleError when the image cannot be used.
RgbImage decode_rgb(std::string_view encoded, const ImageLimits& limits);

}  // namespace aitqe
