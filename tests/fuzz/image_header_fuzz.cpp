// libFuzzer: any bytes are a picture of the size that the header says, or a SampleError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aitqe/base/error.h"
#include "aitqe/image/decode.h"
#include "aitqe/image/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr aitqe::ImageLimits kSmall{.max_side_px = 1024, .max_pixels = 1 << 16};
  const std::string_view encoded(reinterpret_cast<const char*>(data), size);
  try {
    const aitqe::ImageHeader header = aitqe::read_header(encoded);
    const aitqe::RgbImage image = aitqe::decode_rgb(encoded, kSmall);
    if (image.width_px != header.width_px || image.height_px != header.height_px) std::abort();
  } catch (const aitqe::SampleError&) {
    return 0;
  }
  return 0;
}
