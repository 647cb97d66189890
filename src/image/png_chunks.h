#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aitqe/image/header.h"

namespace aitqe {

/// Judges PNG chunks one after the other, by the rules of Pillow 12.3 `PngStream`. Keeps no chunk;
/// what it inflates is counted and thrown away, 1 MiB of text or profile at most.
class PngChunkRules {
 public:
  /// @throws SampleError when Pillow would give up on this chunk.
  void check(std::string_view id, std::string_view payload);

  /// Of the last IHDR; zeros before it.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  int bit_depth = 0;
  int color_type = -1;
  bool interlaced = false;
  std::string_view palette;  ///< of the last PLTE, [n, 3]; may be cut short
  std::uint32_t num_animation_frames = 0;
  /// The frame control chunk seen last gives the picture less than the whole canvas.
  bool partial_frame = false;

 private:
  void check_header(std::string_view payload);
  void check_transparency(std::string_view payload) const;
  void check_text(std::string_view payload);
  void check_compressed_text(std::string_view payload);
  void check_international_text(std::string_view payload);
  void check_animation_control(std::string_view payload);
  void check_frame_control(std::string_view payload);
  void count_text(std::size_t size);

  std::size_t text_bytes_ = 0;
  bool animation_control_seen_ = false;
  std::optional<std::uint32_t> sequence_number_;
};

/// A PNG as found up to its pixels.
struct PngLayout {
  ImageHeader header;
  PngChunkRules rules;
  /// The IDAT chunks in a row that hold the pixels, compressed; the last may be cut short by the
  /// end of the file.
  std::vector<std::string_view> pixel_data;
};

/// Walks the chunks up to the end of the pixels; checksums count before them only.
/// @throws SampleError as Pillow would.
PngLayout read_png_layout(std::string_view encoded);

/// What follows the pixels, which ended in `layout.pixel_data[last_index]`: a damaged chunk there
/// is an error, an end of file between chunks is not.
void check_png_tail(std::string_view encoded, PngLayout& layout, std::size_t last_index);

}  // namespace aitqe
