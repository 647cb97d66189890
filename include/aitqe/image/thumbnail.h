#pragma once

#include <string>
#include <string_view>

#include "aitqe/image/limits.h"

namespace aitqe {

struct ThumbnailOptions {
  /// Longest side; smaller images keep their size. At least 1.
  int max_side_px = 144;
  /// Of the JPEG, 1 to 100.
  int quality = 70;
  /// A picture for the eye is not worth more: far below what the model is given.
  ImageLimits limits{16384, 50'000'000, std::int64_t{64} << 20};
};

/// An encoded image as a small JPEG, its aspect ratio kept; equal input gives equal bytes with one
/// version of the codec library. Safe to call from many threads.
/// @throws SampleError when the image cannot be used.
std::string make_thumbnail(std::string_view encoded, const ThumbnailOptions& options = {});

}  // namespace aitqe
