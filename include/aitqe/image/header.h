#pragma once

#include <string_view>

#include "aitqe/image/limits.h"

namespace aitqe {

/// The formats that can be decoded. All others are refused by name (TIFF, SVG, HEIC, ...).
enum class ImageFormat { Jpeg, Png, Webp, Gif, Bmp };

/// "JPEG", "PNG", "WebP", "GIF" or "BMP".
std::string_view name(ImageFormat format);

enum class ImageColor { Gray, GrayAlpha, Palette, Rgb, Rgba, Cmyk };

/// What the first bytes of an image say about it.
struct ImageHeader {
  ImageFormat format = ImageFormat::Jpeg;
  int width_px = 0;   ///< as stored; EXIF rotation is not applied. At least 1.
  int height_px = 0;  ///< at least 1
  /// As stored. GIF is always Palette.
  ImageColor color = ImageColor::Rgb;
  int bits_per_channel = 8;  ///< 1, 2, 4, 8 or 16; of the index for Palette
  /// The file says that it holds more than one picture; the first is the one decoded. Always
  /// false for GIF, where only reading the whole file could tell.
  bool animated = false;
};

/// Reads the header from the bytes alone: nothing is decoded and no memory is taken in proportion
/// to what the header claims, so it is safe on hostile input. The format is told from the bytes,
/// never from a file name.
/// Refuses what Pillow's `Image.open` refuses (header.cpp and png_chunks.cpp name the rules).
/// Safe to call from many threads.
/// @throws SampleError that says what was found: nothing, "not an image (starts with
///         '<!DOCTYPE')", an unsupported format, a zero dimension, a truncated or broken header.
ImageHeader read_header(std::string_view encoded);

/// @throws SampleError naming the limit's option when the image is over it.
void check_limits(const ImageHeader& header, const ImageLimits& limits);
void check_encoded_size(std::string_view encoded, const ImageLimits& limits);

}  // namespace aitqe
