// clang-format off
#include <csetjmp>
#include <cstdio>  // jpeglib.h does not include what it uses
#include <jpeglib.h>
// clang-format on

#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "codecs.h"

namespace aitqe {
namespace {

/// A progressive JPEG may ask for any number of passes over all its coefficients; real files have
/// about ten. libjpeg's own `djpeg -maxscans` exists for the same reason.
constexpr int kMaxScans = 500;

enum class Outcome { Ok, Truncated, Failed, TooManyScans };

/// A libjpeg decompressor over bytes in memory that behaves like Pillow's: at the end of the bytes
/// it suspends instead of inventing an end marker, and damage that libjpeg conceals is not an
/// error. libjpeg reports errors by longjmp: each method that calls it sets the jump target itself
/// and owns nothing with a destructor.
/// Source: Pillow 12.3 src/libImaging/JpegDecode.c.
class JpegDecompressor {
 public:
  explicit JpegDecompressor(std::string_view encoded) {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.output_message = [](j_common_ptr) {};
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(encoded.data());
    source_.bytes_in_buffer = encoded.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = [](j_decompress_ptr) -> boolean { return FALSE; };
    source_.skip_input_data = skip;
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    progress_.progress_monitor = check_scans;
  }
  ~JpegDecompressor() { jpeg_destroy_decompress(&info_); }
  JpegDecompressor(const JpegDecompressor&) = delete;
  JpegDecompressor& operator=(const JpegDecompressor&) = delete;

  /// Reads headers and, for several scans, all of them.
  Outcome start() {
    if (setjmp(jump_) != 0) return failure_;
    jpeg_create_decompress(&info_);
    info_.src = &source_;
    info_.progress = &progress_;
    int found = jpeg_read_header(&info_, FALSE);
    while (found == JPEG_HEADER_TABLES_ONLY) found = jpeg_read_header(&info_, FALSE);
    if (found == JPEG_SUSPENDED) return Outcome::Truncated;
    info_.out_color_space = info_.num_components == 4 ? JCS_CMYK : JCS_RGB;
    return jpeg_start_decompress(&info_) ? Outcome::Ok : Outcome::Truncated;
  }

  bool has_size(const ImageHeader& header) const {
    return info_.output_width == static_cast<JDIMENSION>(header.width_px) &&
           info_.output_height == static_cast<JDIMENSION>(header.height_px);
  }
  int num_channels() const { return info_.out_color_components; }

  /// One row of width * num_channels bytes.
  Outcome read_row(std::uint8_t* row) {
    if (setjmp(jump_) != 0) return failure_;
    return jpeg_read_scanlines(&info_, &row, 1) == 1 ? Outcome::Ok : Outcome::Truncated;
  }

  /// Reads on to the end marker. That it is missing is no error; what is wrong before it is.
  Outcome finish() {
    if (setjmp(jump_) != 0) return failure_;
    jpeg_finish_decompress(&info_);
    return Outcome::Ok;
  }

  std::string message() {
    char text[JMSG_LENGTH_MAX] = "";
    (*errors_.format_message)(reinterpret_cast<j_common_ptr>(&info_), text);
    return text;
  }

 private:
  static JpegDecompressor& self(j_common_ptr info) {
    return *static_cast<JpegDecompressor*>(info->client_data);
  }
  static void on_error(j_common_ptr info) { std::longjmp(self(info).jump_, 1); }
  static void check_scans(j_common_ptr info) {
    JpegDecompressor& decompressor = self(info);
    if (decompressor.info_.input_scan_number > kMaxScans) {
      decompressor.failure_ = Outcome::TooManyScans;
      std::longjmp(decompressor.jump_, 1);
    }
  }
  static void skip(j_decompress_ptr info, long num_bytes) {
    jpeg_source_mgr& source = *info->src;
    if (num_bytes <= 0) return;
    auto skipped = static_cast<std::size_t>(num_bytes);
    if (skipped > source.bytes_in_buffer) skipped = source.bytes_in_buffer;
    source.next_input_byte += skipped;
    source.bytes_in_buffer -= skipped;
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  Outcome failure_ = Outcome::Failed;
};

void check(Outcome outcome, JpegDecompressor& decompressor) {
  switch (outcome) {
    case Outcome::Ok:
      return;
    case Outcome::Truncated:
      throw SampleError("truncated_image: truncated JPEG: the file ends before the last row");
    case Outcome::Failed:
      throw SampleError("broken_image: broken JPEG: " + decompressor.message());
    case Outcome::TooManyScans:
      throw SampleError("image_too_large: JPEG with more than " + std::to_string(kMaxScans) +
                        " scans");
  }
}

/// a * b / 255, rounded, as Pillow's MULDIV255 has it.
std::uint8_t multiply_255(int a, int b) {
  const int product = a * b + 128;
  return static_cast<std::uint8_t>((product + (product >> 8)) >> 8);
}

/// CMYK as Adobe stores it, inverted, so that a stored K is already 255 - K.
void to_rgb(const std::uint8_t* cmyk, int width_px, std::uint8_t* rgb) {
  for (int x = 0; x < width_px; ++x, cmyk += 4, rgb += 3) {
    const int light = cmyk[3];
    for (int channel = 0; channel < 3; ++channel) {
      rgb[channel] = static_cast<std::uint8_t>(light - multiply_255(255 - cmyk[channel], light));
    }
  }
}

}  // namespace

RgbImage decode_jpeg(std::string_view encoded, const ImageHeader& header) {
  JpegDecompressor decompressor(encoded);
  check(decompressor.start(), decompressor);
  if (!decompressor.has_size(header)) {
    throw SampleError("broken_image: broken JPEG: its frame headers disagree about the size");
  }
  RgbImage image = make_rgb(header);
  const bool is_cmyk = decompressor.num_channels() == 4;
  std::vector<std::uint8_t> cmyk(is_cmyk ? std::size_t{4} * image.rgb.size() / 3 /
                                               static_cast<std::size_t>(header.height_px)
                                         : 0);
  std::uint8_t* row = image.rgb.data();
  for (int y = 0; y < header.height_px; ++y, row += std::size_t{3} * image.width_px) {
    check(decompressor.read_row(is_cmyk ? cmyk.data() : row), decompressor);
    if (is_cmyk) to_rgb(cmyk.data(), header.width_px, row);
  }
  check(decompressor.finish(), decompressor);
  return image;
}

}  // namespace aitqe
