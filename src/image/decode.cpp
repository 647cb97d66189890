#include "aitqe/image/decode.h"

#include <cassert>

#include "aitqe/base/error.h"
#include "codecs.h"

namespace aitqe {

RgbImage make_rgb(const ImageHeader& header) {
  RgbImage image;
  image.width_px = header.width_px;
  image.height_px = header.height_px;
  image.rgb.resize(std::size_t{3} * static_cast<std::size_t>(header.width_px) *
                   static_cast<std::size_t>(header.height_px));
  return image;
}

RgbImage decode_rgb(std::string_view encoded, const ImageLimits& limits) {
  check_encoded_size(encoded, limits);
  const ImageHeader header = read_header(encoded);
  check_limits(header, limits);
  switch (header.format) {
    case ImageFormat::Jpeg:
      return decode_jpeg(encoded, header);
    case ImageFormat::Png:
      return decode_png(encoded, header);
    case ImageFormat::Webp:
      return decode_webp(encoded, header);
    case ImageFormat::Gif:
      return decode_gif(encoded, header);
    case ImageFormat::Bmp:
      return decode_bmp(encoded, header);
  }
  assert(false);
  return {};
}

}  // namespace aitqe
