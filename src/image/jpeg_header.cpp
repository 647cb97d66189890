#include <algorithm>

#include "byte_reader.h"
#include "codecs.h"

namespace aitqe {
namespace {

bool is_frame(int marker) {
  if (marker == 0xde) return true;  // DHP is laid out like a frame
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/// RSTn, SOI, EOI and the reserved codes stand alone; the rest carry a length.
bool has_payload(int marker) {
  const bool alone =
      marker == 0xc8 || (marker >= 0xd0 && marker <= 0xd9) || (marker >= 0xf0 && marker <= 0xfd);
  return !alone;
}

void read_frame(std::string_view payload, ImageHeader& header) {
  ByteReader frame(payload, "JPEG frame header");
  const int bits = frame.u8();
  const std::uint32_t height = frame.be16();
  const std::uint32_t width = frame.be16();
  const int num_components = frame.u8();
  if (bits != 8)
    throw SampleError("unsupported_image: unsupported JPEG: " + std::to_string(bits) +
                      " bits a channel");
  if (num_components == 1) {
    header.color = ImageColor::Gray;
  } else if (num_components == 3) {
    header.color = ImageColor::Rgb;
  } else if (num_components == 4) {
    header.color = ImageColor::Cmyk;
  } else {
    throw SampleError("unsupported_image: unsupported JPEG: " + std::to_string(num_components) +
                      " components");
  }
  if (frame.left() % 3 != 0) throw SampleError("truncated_image: truncated JPEG frame header");
  set_size(header, width, height);
}

void check_quantization(std::string_view payload) {
  while (!payload.empty()) {
    const std::size_t precision_bytes = static_cast<unsigned char>(payload[0]) < 16 ? 1 : 2;
    const std::size_t table_bytes = 1 + 64 * precision_bytes;
    if (payload.size() < table_bytes)
      throw SampleError("broken_image: broken JPEG quantization table");
    payload.remove_prefix(table_bytes);
  }
}

/// Pillow reads fields of these segments without looking at their length and gives up when they
/// are short.
void check_application_segment(int marker, std::string_view payload) {
  const bool jfif = marker == 0xe0 && payload.starts_with("JFIF");
  const bool adobe = marker == 0xee && payload.starts_with("Adobe");
  const bool icc = marker == 0xe2 && payload.starts_with(std::string_view("ICC_PROFILE\0", 12));
  if ((jfif || adobe) && payload.size() < 7)
    throw SampleError("broken_image: broken JPEG application segment");
  if (icc && payload.size() < 14) throw SampleError("broken_image: broken JPEG ICC segment");
}

/// The next marker's second byte. Junk between markers, fill bytes and escaped 0xff are skipped,
/// as Pillow skips them. @param from_marker  true when the 0xff has been read already.
int next_marker(ByteReader& file, bool from_marker) {
  int byte = from_marker ? 0xff : file.u8();
  while (true) {
    if (byte != 0xff) {
      byte = file.u8();
      continue;
    }
    const int code = file.u8();
    if (code == 0xff) continue;
    if (code == 0) {
      byte = file.u8();
      continue;
    }
    if (code < 0xc0)
      throw SampleError("broken_image: broken JPEG: no marker at byte " +
                        std::to_string(file.position() - 2));
    return code;
  }
}

}  // namespace

/// Walks the segments up to the first scan.
/// Source: Pillow 12.3 `JpegImageFile._open`; the rules about what is refused are its.
ImageHeader read_jpeg_header(std::string_view encoded) {
  constexpr int kStartOfScan = 0xda;
  ByteReader file(encoded, "JPEG header");
  file.take(3);
  ImageHeader header;
  header.format = ImageFormat::Jpeg;
  for (int marker = next_marker(file, true);; marker = next_marker(file, false)) {
    if (!has_payload(marker)) continue;
    const std::uint32_t length = file.be16();
    const std::string_view payload = file.take(std::max(length, 2U) - 2);
    if (is_frame(marker)) read_frame(payload, header);
    if (marker == 0xdb) check_quantization(payload);
    if (marker >= 0xe0 && marker <= 0xef) check_application_segment(marker, payload);
    if (marker == kStartOfScan) break;
  }
  if (header.width_px == 0)
    throw SampleError("broken_image: broken JPEG: a scan before any frame header");
  return header;
}

}  // namespace aitqe
