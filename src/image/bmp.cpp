#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "byte_reader.h"
#include "codecs.h"

namespace aitqe {
namespace {

struct BmpLayout {
  ImageHeader header;
  std::uint64_t data_offset = 0;
  int bits_per_pixel = 0;
};

BmpLayout read_bmp_layout(std::string_view encoded) {
  ByteReader file(encoded, "BMP header");
  file.take(10);
  BmpLayout layout;
  layout.data_offset = file.le32();
  const std::uint32_t header_bytes = file.le32();
  if (header_bytes != 40 && header_bytes != 108 && header_bytes != 124) {
    throw SampleError("unsupported_image: unsupported BMP: header of " +
                      std::to_string(header_bytes) + " bytes");
  }
  const std::uint32_t width = file.le32();
  const std::uint32_t signed_height = file.le32();
  file.le16();  // planes
  layout.bits_per_pixel = static_cast<int>(file.le16());
  const std::uint32_t compression = file.le32();
  file.take(12);
  const std::uint32_t num_colors = file.le32();
  file.take(header_bytes - 36);
  const int bits = layout.bits_per_pixel;
  if (compression != 0 || (bits != 8 && bits != 24 && bits != 32)) {
    throw SampleError("unsupported_image: unsupported BMP: " + std::to_string(bits) +
                      " bits, compression " + std::to_string(compression));
  }
  if (bits == 8) {
    if (num_colors > 256)
      throw SampleError("unsupported_image: unsupported BMP: palette of more than 256 colours");
    file.take(std::size_t{4} * (num_colors == 0 ? 256 : num_colors));
    layout.header.color = ImageColor::Palette;
  }
  layout.header.format = ImageFormat::Bmp;
  const bool top_down = signed_height >> 24 == 0xff;  // as Pillow tells it
  set_size(layout.header, width, top_down ? 0U - signed_height : signed_height);
  if (layout.data_offset < file.position())
    throw SampleError("broken_image: broken BMP: pixels inside its header");
  return layout;
}

/// Pillow does without the padding of the last row, OpenCV does not. Empty when nothing is missing.
/// @throws SampleError when more than that is missing.
std::string with_last_padding(std::string_view encoded, const BmpLayout& layout) {
  const auto width = static_cast<std::uint64_t>(layout.header.width_px);
  const auto height = static_cast<std::uint64_t>(layout.header.height_px);
  const std::uint64_t used_bytes = width * static_cast<std::uint64_t>(layout.bits_per_pixel) / 8;
  const std::uint64_t row_bytes = (used_bytes + 3) / 4 * 4;
  const std::uint64_t needed = layout.data_offset + row_bytes * (height - 1) + used_bytes;
  if (needed > encoded.size()) {
    throw SampleError("truncated_image: truncated BMP: " + std::to_string(encoded.size()) +
                      " bytes, " + std::to_string(needed) + " expected");
  }
  const std::uint64_t whole = layout.data_offset + row_bytes * height;
  if (whole <= encoded.size()) return {};
  std::string padded(encoded);
  padded.resize(whole, '\0');
  return padded;
}

RgbImage to_rgb(const cv::Mat& bgr, const ImageHeader& header) {
  RgbImage image = make_rgb(header);
  std::uint8_t* rgb = image.rgb.data();
  for (int y = 0; y < bgr.rows; ++y) {
    const std::uint8_t* from = bgr.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, rgb += 3, from += 3) {
      rgb[0] = from[2];
      rgb[1] = from[1];
      rgb[2] = from[0];
    }
  }
  return image;
}

}  // namespace

ImageHeader read_bmp_header(std::string_view encoded) { return read_bmp_layout(encoded).header; }

/// OpenCV does not tell a truncated file from a whole one, so the length is checked first.
RgbImage decode_bmp(std::string_view encoded, const ImageHeader& header) {
  const std::string padded = with_last_padding(encoded, read_bmp_layout(encoded));
  const std::string_view whole = padded.empty() ? encoded : padded;
  if (whole.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw SampleError("image_too_large: BMP file has " + std::to_string(whole.size()) +
                      " bytes, limit is 2 GiB");
  }
  cv::Mat bgr;
  try {
    const cv::Mat bytes(1, static_cast<int>(whole.size()), CV_8UC1,
                        const_cast<char*>(whole.data()));
    bgr = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& e) {
    throw SampleError(std::string("broken_image: broken BMP: ") + e.what());
  }
  if (bgr.cols != header.width_px || bgr.rows != header.height_px || bgr.type() != CV_8UC3) {
    throw SampleError("broken_image: broken BMP: it cannot be decoded");
  }
  return to_rgb(bgr, header);
}

}  // namespace aitqe
