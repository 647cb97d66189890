#include "aitqe/image/header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <string>

#include "aitqe/base/error.h"
#include "codecs.h"

namespace aitqe {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view format;
};

/// Known and refused. Pillow opens some of these; none is common in image-text shards, and each
/// decoder is one more thing to attack.
constexpr std::array kUnsupported = {
    Signature{0, "II*\0"sv, "TIFF"},
    Signature{0, "MM\0*"sv, "TIFF"},
    Signature{0, "II+\0"sv, "BigTIFF"},
    Signature{0, "8BPS"sv, "PSD"},
    Signature{4, "ftypavif"sv, "AVIF"},
    Signature{4, "ftypavis"sv, "AVIF"},
    Signature{4, "ftyphei"sv, "HEIC"},
    Signature{4, "ftyphev"sv, "HEIC"},
    Signature{4, "ftypmif1"sv, "HEIF"},
    Signature{4, "ftyp"sv, "MP4"},
    Signature{0, "\0\0\0\x0cjP  "sv, "JPEG 2000"},
    Signature{0, "\xff\x4f\xff\x51"sv, "JPEG 2000"},
    Signature{0, "\0\0\0\x0cJXL "sv, "JPEG XL"},
    Signature{0, "\xff\x0a"sv, "JPEG XL"},
    Signature{0, "\0\0\1\0"sv, "ICO"},
    Signature{0, "qoif"sv, "QOI"},
    Signature{0, "DDS "sv, "DDS"},
    Signature{0, "%PDF"sv, "PDF"},
    Signature{0, "%!PS"sv, "EPS"},
    Signature{0, "<svg"sv, "SVG"},
};

bool has(std::string_view encoded, std::size_t offset, std::string_view bytes) {
  return encoded.size() >= offset && encoded.substr(offset).starts_with(bytes);
}

bool is_svg(std::string_view encoded) {
  constexpr std::size_t kPrologBytes = 1024;  // declaration, comments and doctype come first
  return encoded.starts_with("<?xml") &&
         encoded.substr(0, kPrologBytes).find("<svg") != std::string_view::npos;
}

/// The first bytes, as text where they are text.
std::string start_of(std::string_view encoded) {
  const std::string_view start = encoded.substr(0, 16);
  const bool printable = std::all_of(start.begin(), start.end(), [](unsigned char c) {
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
  if (printable) {
    const std::size_t word = std::min(start.find_first_of(" \r\n\t>"), start.size());
    return "'" + std::string(start.substr(0, std::max<std::size_t>(word, 1))) + "'";
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex = "bytes";
  for (const unsigned char c : start.substr(0, 8)) {
    hex += ' ';
    hex += kDigits[c >> 4];
    hex += kDigits[c & 15];
  }
  return hex;
}

[[noreturn]] void refuse(std::string_view encoded) {
  for (const Signature& signature : kUnsupported) {
    if (has(encoded, signature.offset, signature.bytes)) {
      throw SampleError("unsupported_image: unsupported image format " +
                        std::string(signature.format) + ", expected JPEG, PNG, WebP, GIF or BMP");
    }
  }
  if (is_svg(encoded)) {
    throw SampleError(
        "unsupported_image: unsupported image format SVG, expected JPEG, PNG, WebP, GIF or BMP");
  }
  throw SampleError("not_an_image: not an image (starts with " + start_of(encoded) + ")");
}

}  // namespace

std::string_view name(ImageFormat format) {
  switch (format) {
    case ImageFormat::Jpeg:
      return "JPEG";
    case ImageFormat::Png:
      return "PNG";
    case ImageFormat::Webp:
      return "WebP";
    case ImageFormat::Gif:
      return "GIF";
    case ImageFormat::Bmp:
      return "BMP";
  }
  return "unknown";
}

ImageHeader read_header(std::string_view encoded) {
  if (encoded.empty()) throw SampleError("empty_image: image is empty (0 bytes)");
  if (has(encoded, 0, "\xff\xd8\xff")) return read_jpeg_header(encoded);
  if (has(encoded, 0, "\x89PNG\r\n\x1a\n")) return read_png_header(encoded);
  if (has(encoded, 0, "RIFF") && has(encoded, 8, "WEBP")) return read_webp_header(encoded);
  if (has(encoded, 0, "GIF87a") || has(encoded, 0, "GIF89a")) return read_gif_header(encoded);
  if (has(encoded, 0, "BM")) return read_bmp_header(encoded);
  refuse(encoded);
}

void set_size(ImageHeader& header, std::uint64_t width, std::uint64_t height) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height) + " px";
  if (width == 0 || height == 0) {
    throw SampleError("broken_image: " + std::string(name(header.format)) + " image is " + size +
                      ", both sides must be at least 1 px");
  }
  constexpr std::uint64_t kMaxInt = std::numeric_limits<int>::max();
  if (width > kMaxInt || height > kMaxInt) {
    throw SampleError("image_too_large: " + std::string(name(header.format)) + " image is " + size +
                      ", more than any limit");
  }
  header.width_px = static_cast<int>(width);
  header.height_px = static_cast<int>(height);
}

void check_limits(const ImageHeader& header, const ImageLimits& limits) {
  const std::string size =
      std::to_string(header.width_px) + "x" + std::to_string(header.height_px) + " px";
  if (std::max(header.width_px, header.height_px) > limits.max_side_px) {
    throw SampleError("image_too_large: image is " + size + ", limit is " +
                      std::to_string(limits.max_side_px) + " px a side (--max-side-px)");
  }
  const std::int64_t num_pixels = std::int64_t{header.width_px} * header.height_px;
  if (num_pixels > limits.max_pixels) {
    throw SampleError("image_too_large: image is " + size + " (" + std::to_string(num_pixels) +
                      " pixels), limit is " + std::to_string(limits.max_pixels) +
                      " pixels (--max-pixels)");
  }
}

void check_encoded_size(std::string_view encoded, const ImageLimits& limits) {
  if (encoded.size() > static_cast<std::uint64_t>(limits.max_encoded_bytes)) {
    throw SampleError("image_too_large: image file has " + std::to_string(encoded.size()) +
                      " bytes, limit is " + std::to_string(limits.max_encoded_bytes) +
                      " (--max-encoded-bytes)");
  }
}

}  // namespace aitqe
