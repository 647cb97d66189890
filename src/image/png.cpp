#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>

#include "aitqe/base/error.h"
#include "codecs.h"
#include "png_chunks.h"

namespace aitqe {
namespace {

using Palette = std::array<std::uint8_t, 768>;

/// Entries that a palette does not give are black, as in Pillow.
Palette full_palette(std::string_view from_file) {
  Palette palette{};
  if (from_file.size() > palette.size()) {
    throw SampleError("broken_image: broken PNG: palette of more than 256 colours");
  }
  std::copy_n(from_file.begin(), from_file.size() / 3 * 3, palette.begin());
  return palette;
}

/// Bytes for libpng: a PNG of our own making that holds the header and the pixels and nothing
/// else, so that no text, profile or EXIF chunk ever reaches libpng. Checksums are zeros; libpng
/// is told not to look.
class PngFeed {
 public:
  explicit PngFeed(const PngLayout& layout) : layout_(layout) {
    head_ = "\x89PNG\r\n\x1a\n";
    std::string header;
    append_be32(header, static_cast<std::uint32_t>(layout.header.width_px));
    append_be32(header, static_cast<std::uint32_t>(layout.header.height_px));
    header += static_cast<char>(layout.rules.bit_depth);
    header += static_cast<char>(layout.rules.color_type);
    header.append(2, '\0');
    header += static_cast<char>(layout.rules.interlaced ? 1 : 0);
    append_chunk("IHDR", header);
    if (layout.header.color == ImageColor::Palette) {
      append_chunk("PLTE", std::string(std::size_t{3} << layout.rules.bit_depth, '\0'));
    }
    append_chunk_start("IDAT", layout.pixel_data[0].size());
    current_ = head_;
  }

  /// False at the end of the pixel data.
  bool read(std::uint8_t* to, std::size_t size) {
    while (size > 0) {
      if (current_.empty() && !next_piece()) return false;
      const std::size_t part = std::min(size, current_.size());
      std::memcpy(to, current_.data(), part);
      current_.remove_prefix(part);
      to += part;
      size -= part;
    }
    return true;
  }

  /// The chunk of pixel data that was read from last.
  std::size_t chunk_index() const { return pieces_started_ == 0 ? 0 : (pieces_started_ - 1) / 2; }

 private:
  static void append_be32(std::string& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 0xff);
  }
  void append_chunk_start(std::string_view id, std::size_t size) {
    append_be32(head_, static_cast<std::uint32_t>(size));
    head_ += id;
  }
  void append_chunk(std::string_view id, const std::string& payload) {
    append_chunk_start(id, payload.size());
    head_ += payload;
    append_be32(head_, 0);
  }

  /// Pieces are: pixel data 0, start of chunk 1, pixel data 1, start of chunk 2, ...
  bool next_piece() {
    const std::size_t index = pieces_started_ / 2 + pieces_started_ % 2;
    if (index >= layout_.pixel_data.size()) return false;
    if (pieces_started_ % 2 == 0) {
      current_ = layout_.pixel_data[index];
    } else {
      head_.assign(4, '\0');
      append_chunk_start("IDAT", layout_.pixel_data[index].size());
      current_ = head_;
    }
    ++pieces_started_;
    return true;
  }

  const PngLayout& layout_;
  std::string head_;
  std::string_view current_;
  std::size_t pieces_started_ = 0;
};

/// Rows in the file: fewer bytes but more rows when interlaced, some passes being empty.
int count_stored_rows(const PngLayout& layout) {
  if (!layout.rules.interlaced) return layout.header.height_px;
  int num_rows = 0;
  for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass) {
    if (PNG_PASS_COLS(layout.header.width_px, pass) > 0) {
      num_rows += PNG_PASS_ROWS(layout.header.height_px, pass);
    }
  }
  return num_rows;
}

/// Note [End of the pixels]
/// After the last row libpng reads on to the end of the compressed stream and fails when that is
/// missing; Pillow is content with the rows. So rows are counted, by a transformation that does
/// nothing, and what fails after the last one is ignored.

/// A libpng reader. libpng reports errors by longjmp: each method that calls it sets the jump
/// target itself and owns nothing with a destructor.
class PngReader {
 public:
  PngReader(PngFeed& feed, const PngLayout& layout)
      : feed_(feed), header_(layout.header), num_stored_rows_(count_stored_rows(layout)) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  /// @return bytes a row, after expansion to at least one byte a sample; 0 on failure.
  std::size_t start() {
    if (info_ == nullptr) return 0;
    if (setjmp(jump_) != 0) return 0;
    png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_option(png_, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_set_user_limits(png_, static_cast<png_uint_32>(header_.width_px),
                        static_cast<png_uint_32>(header_.height_px));
    png_set_read_fn(png_, this, on_read);
    png_read_info(png_, info_);
    const bool gray = header_.color == ImageColor::Gray;
    if (header_.bits_per_channel < 8 && gray) png_set_expand_gray_1_2_4_to_8(png_);
    if (header_.bits_per_channel < 8 && !gray) png_set_packing(png_);
    if (header_.bits_per_channel == 16 && !gray) png_set_strip_16(png_);
    png_set_user_transform_info(png_, this, 0, 0);
    png_set_read_user_transform_fn(png_, on_row);
    num_passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return png_get_rowbytes(png_, info_);
  }

  /// All rows into `rows`, [height, row_bytes].
  bool read(std::uint8_t* rows, std::size_t row_bytes) {
    if (setjmp(jump_) != 0) return num_rows_read_ == num_stored_rows_;
    for (int pass = 0; pass < num_passes_; ++pass) {
      std::uint8_t* row = rows;
      for (int y = 0; y < header_.height_px; ++y, row += row_bytes) {
        png_read_row(png_, row, nullptr);
      }
    }
    return true;
  }

  /// The chunk of pixel data in which the last row ended.
  std::size_t last_chunk_index() const { return last_chunk_index_; }
  std::string message() const { return message_; }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof(self->message_) - 1);
    std::longjmp(self->jump_, 1);
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_row(png_structp png, png_row_infop, png_bytep) {
    auto* self = static_cast<PngReader*>(png_get_user_transform_ptr(png));
    ++self->num_rows_read_;
    self->last_chunk_index_ = self->feed_.chunk_index();
  }
  static void on_read(png_structp png, png_bytep to, png_size_t size) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (!self->feed_.read(to, size)) png_error(png, "the file ends before the last row");
  }

  PngFeed& feed_;
  const ImageHeader& header_;
  int num_stored_rows_;
  int num_rows_read_ = 0;
  std::size_t last_chunk_index_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int num_passes_ = 1;
  std::jmp_buf jump_{};
  char message_[128] = "";
};

/// `from` holds samples of one byte, or two for 16-bit gray.
void row_to_rgb(const std::uint8_t* from, const ImageHeader& header, const Palette& palette,
                std::uint8_t* rgb) {
  const bool clip_16 = header.color == ImageColor::Gray && header.bits_per_channel == 16;
  for (int x = 0; x < header.width_px; ++x, rgb += 3) {
    switch (header.color) {
      case ImageColor::Palette:
        std::memcpy(rgb, palette.data() + std::size_t{3} * *from++, 3);
        break;
      case ImageColor::Gray:
      case ImageColor::GrayAlpha: {
        // Pillow clips 16-bit gray, min(v, 255), where other viewers shift it.
        const std::uint8_t gray = clip_16 && from[0] != 0 ? 255 : from[clip_16 ? 1 : 0];
        std::memset(rgb, gray, 3);
        from += clip_16 || header.color == ImageColor::GrayAlpha ? 2 : 1;
        break;
      }
      default:
        std::memcpy(rgb, from, 3);
        from += header.color == ImageColor::Rgba ? 4 : 3;
    }
  }
}

}  // namespace

RgbImage decode_png(std::string_view encoded, const ImageHeader& header) {
  PngLayout layout = read_png_layout(encoded);
  PngFeed feed(layout);
  PngReader reader(feed, layout);
  const std::size_t row_bytes = reader.start();
  if (row_bytes == 0) throw SampleError("broken_image: broken PNG: " + reader.message());
  std::vector<std::uint8_t> rows(row_bytes * static_cast<std::size_t>(header.height_px));
  if (!reader.read(rows.data(), row_bytes))
    throw SampleError("broken_image: broken PNG: " + reader.message());
  check_png_tail(encoded, layout, reader.last_chunk_index());

  RgbImage image = make_rgb(header);
  if (header.color == ImageColor::Rgb) {
    image.rgb = std::move(rows);
    return image;
  }
  const Palette palette = full_palette(layout.rules.palette);
  for (std::size_t y = 0; y < static_cast<std::size_t>(header.height_px); ++y) {
    row_to_rgb(rows.data() + y * row_bytes, header, palette,
               image.rgb.data() + y * 3 * static_cast<std::size_t>(header.width_px));
  }
  return image;
}

}  // namespace aitqe
