#pragma once

#include <cstdint>

namespace aitqe {

/// What an encoded image may claim before anything is decoded. An image beyond a limit is a
/// SampleError that names the option; it is never scaled or cut to fit.
struct ImageLimits {
  /// Longest side, in pixels (--max-side-px). At least 1.
  int max_side_px = 16384;
  /// Width times height (--max-pixels). At least 1. The default is where Pillow raises
  /// DecompressionBombError: 2 * (2^30 / 4 / 3). Decoding needs 3 bytes a pixel, a progressive
  /// JPEG up to 9 more.
  std::int64_t max_pixels = 178'956'970;
  /// Size of the encoded file (--max-encoded-bytes). At least 1.
  std::int64_t max_encoded_bytes = std::int64_t{256} << 20;
};

}  // namespace aitqe
