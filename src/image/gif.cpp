#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "byte_reader.h"
#include "codecs.h"
#include "lzw.h"

namespace aitqe {
namespace {

struct GifLayout {
  ImageHeader header;
  std::string_view palette;                      ///< [n, 3]; entries it does not give are black
  bool gray = true;                              ///< no palette: the index is the gray value
  std::uint8_t background = 0;                   ///< index outside the picture's frame
  int left = 0, top = 0, width = 0, height = 0;  ///< the frame
  bool interlaced = false;
  int first_code_bits = 0;
  std::size_t data_offset = 0;
};

/// One data block; empty at the end of a chain or of the file.
std::string_view read_block(ByteReader& file) {
  if (file.left() == 0) return {};
  return file.take_up_to(file.u8());
}

void skip_blocks(ByteReader& file) {
  while (!read_block(file).empty()) {
  }
}

/// Sources: GIF89a, and Pillow 12.3 `GifImageFile._seek` for what is skipped and refused.
void read_extension(ByteReader& file, GifLayout& layout) {
  constexpr int kGraphicControl = 249, kComment = 254, kApplication = 255;
  const int label = file.u8();
  const std::string_view block = read_block(file);
  if (label == kGraphicControl && !block.empty()) {
    ByteReader control(block, "GIF graphic control");
    const bool has_transparency = (control.u8() & 1) != 0;
    control.le16();  // delay
    if (has_transparency) layout.background = control.u8();
  }
  if (label == kComment && block.empty()) return;
  if (label == kApplication && block.starts_with("NETSCAPE2.0")) read_block(file);
  skip_blocks(file);
}

/// A palette that only says "index i is gray i" is no palette to Pillow, so that indices beyond it
/// are gray instead of black.
bool is_gray_ramp(std::string_view palette) {
  for (std::size_t i = 0; i < palette.size(); ++i) {
    if (static_cast<unsigned char>(palette[i]) != i / 3) return false;
  }
  return true;
}

void read_palette(ByteReader& file, int flags, GifLayout& layout) {
  constexpr int kHasPalette = 128;
  if ((flags & kHasPalette) == 0) return;
  layout.palette = file.take(std::size_t{3} << ((flags & 7) + 1));
  layout.gray = is_gray_ramp(layout.palette);
}

std::array<std::uint8_t, 768> full_palette(const GifLayout& layout) {
  std::array<std::uint8_t, 768> palette{};
  if (layout.gray) {
    for (std::size_t i = 0; i < palette.size(); ++i) palette[i] = static_cast<std::uint8_t>(i / 3);
  } else {
    std::copy(layout.palette.begin(), layout.palette.end(), palette.begin());
  }
  return palette;
}

void read_frame(ByteReader& file, GifLayout& layout, std::uint64_t screen_width,
                std::uint64_t screen_height) {
  layout.left = static_cast<int>(file.le16());
  layout.top = static_cast<int>(file.le16());
  layout.width = static_cast<int>(file.le16());
  layout.height = static_cast<int>(file.le16());
  const int flags = file.u8();
  layout.interlaced = (flags & 64) != 0;
  read_palette(file, flags, layout);
  layout.first_code_bits = file.u8();
  layout.data_offset = file.position();
  if (layout.width == 0 || layout.height == 0)
    throw SampleError("broken_image: broken GIF: empty picture");
  const auto right = static_cast<std::uint64_t>(layout.left + layout.width);
  const auto bottom = static_cast<std::uint64_t>(layout.top + layout.height);
  set_size(layout.header, std::max(screen_width, right), std::max(screen_height, bottom));
}

GifLayout read_gif_layout(std::string_view encoded) {
  ByteReader file(encoded, "GIF");
  file.take(6);
  GifLayout layout;
  layout.header.format = ImageFormat::Gif;
  layout.header.color = ImageColor::Palette;
  const std::uint32_t screen_width = file.le16();
  const std::uint32_t screen_height = file.le16();
  const int flags = file.u8();
  file.take(2);  // background colour and aspect ratio, neither used by Pillow here
  read_palette(file, flags, layout);
  while (true) {
    const int byte = file.u8();
    if (byte == ';') throw SampleError("broken_image: broken GIF: it holds no picture");
    if (byte == '!') read_extension(file, layout);
    if (byte == ',') {
      read_frame(file, layout, screen_width, screen_height);
      return layout;
    }
  }
}

/// Order in which the rows of a frame come.
std::vector<int> row_order(const GifLayout& layout) {
  std::vector<int> order;
  if (!layout.interlaced) {
    for (int y = 0; y < layout.height; ++y) order.push_back(y);
    return order;
  }
  constexpr std::array<std::array<int, 2>, 4> kPasses = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto& [start, step] : kPasses) {
    for (int y = start; y < layout.height; y += step) order.push_back(y);
  }
  return order;
}

}  // namespace

ImageHeader read_gif_header(std::string_view encoded) { return read_gif_layout(encoded).header; }

RgbImage decode_gif(std::string_view encoded, const ImageHeader& header) {
  const GifLayout layout = read_gif_layout(encoded);
  const std::array<std::uint8_t, 768> palette = full_palette(layout);
  const std::size_t width = static_cast<std::size_t>(layout.width);
  std::vector<std::uint8_t> indices(width * static_cast<std::size_t>(layout.height));
  decode_lzw(encoded.substr(layout.data_offset), layout.first_code_bits, indices);

  RgbImage image = make_rgb(header);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    std::memcpy(image.rgb.data() + i, palette.data() + std::size_t{3} * layout.background, 3);
  }
  const std::uint8_t* from = indices.data();
  for (const int y : row_order(layout)) {
    std::uint8_t* rgb =
        image.rgb.data() + std::size_t{3} * (static_cast<std::size_t>(layout.top + y) *
                                                 static_cast<std::size_t>(header.width_px) +
                                             static_cast<std::size_t>(layout.left));
    for (std::size_t x = 0; x < width; ++x, rgb += 3) {
      std::memcpy(rgb, palette.data() + std::size_t{3} * *from++, 3);
    }
  }
  return image;
}

}  // namespace aitqe
