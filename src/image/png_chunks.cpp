#include "png_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "byte_reader.h"
#include "codecs.h"

namespace aitqe {
namespace {

/// Pillow's MAX_TEXT_CHUNK and MAX_TEXT_MEMORY.
constexpr std::size_t kMaxInflatedBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxTextBytes = 64 * kMaxInflatedBytes;

/// Inflates without keeping anything.
class Inflater {
 public:
  explicit Inflater(std::string_view bytes) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    usable_ = inflateInit(&stream_) == Z_OK;
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  struct Result {
    std::size_t size = 0;  ///< bytes that came out, kMaxInflatedBytes at most
    bool too_large = false;
    bool broken = false;
  };
  Result run() {
    Result result;
    std::array<Bytef, 16384> scratch;
    int status = usable_ ? Z_OK : Z_DATA_ERROR;
    while (status == Z_OK && stream_.avail_in > 0 && result.size < kMaxInflatedBytes) {
      stream_.next_out = scratch.data();
      stream_.avail_out =
          static_cast<uInt>(std::min(scratch.size(), kMaxInflatedBytes - result.size));
      const uInt room = stream_.avail_out;
      status = inflate(&stream_, Z_NO_FLUSH);
      result.size += room - stream_.avail_out;
    }
    result.too_large = status == Z_OK && stream_.avail_in > 0;
    result.broken = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
    return result;
  }

 private:
  z_stream stream_{};
  bool usable_ = false;
};

[[noreturn]] void broken(std::string_view id, const std::string& what) {
  throw SampleError("broken_image: broken PNG chunk '" + std::string(id) + "': " + what);
}

void require_size(std::string_view id, std::string_view payload, std::size_t size) {
  if (payload.size() < size) {
    broken(id, std::to_string(payload.size()) + " bytes, at least " + std::to_string(size) +
                   " expected");
  }
}

void check_profile(std::string_view payload) {
  const std::size_t end = payload.find('\0');
  const std::size_t method = end == std::string_view::npos ? 0 : end + 1;
  require_size("iCCP", payload, method + 1);
  if (payload[method] != 0) broken("iCCP", "unknown compression method");
  const std::size_t profile = end == std::string_view::npos ? 1 : end + 2;
  if (Inflater(payload.substr(std::min(profile, payload.size()))).run().too_large) {
    broken("iCCP", "inflates to more than 1 MiB");
  }
}

/// What Pillow's `\w\w\w\w` matches.
bool is_chunk_id(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

struct ChunkStart {
  std::string_view id;
  std::uint32_t size;
};

ChunkStart read_chunk_start(ByteReader& file) {
  const std::uint32_t size = file.be32();
  const std::string_view id = file.take(4);
  if (!is_chunk_id(id)) {
    throw SampleError("broken_image: broken PNG: no chunk name at byte " +
                      std::to_string(file.position() - 4));
  }
  return {id, size};
}

void check_crc(std::string_view id, std::string_view payload, std::uint32_t expected) {
  uLong crc = crc32(0, reinterpret_cast<const Bytef*>(id.data()), static_cast<uInt>(id.size()));
  crc =
      crc32(crc, reinterpret_cast<const Bytef*>(payload.data()), static_cast<uInt>(payload.size()));
  if (crc != expected) broken(id, "wrong checksum");
}

void set_color(const PngChunkRules& rules, ImageHeader& header) {
  struct Kind {
    int color_type;
    ImageColor color;
    std::array<int, 5> depths;
  };
  constexpr std::array kKinds = {
      Kind{0, ImageColor::Gray, {1, 2, 4, 8, 16}}, Kind{2, ImageColor::Rgb, {8, 16}},
      Kind{3, ImageColor::Palette, {1, 2, 4, 8}},  Kind{4, ImageColor::GrayAlpha, {8, 16}},
      Kind{6, ImageColor::Rgba, {8, 16}},
  };
  for (const Kind& kind : kKinds) {
    const bool has_depth = rules.bit_depth != 0 && std::find(kind.depths.begin(), kind.depths.end(),
                                                             rules.bit_depth) != kind.depths.end();
    if (kind.color_type == rules.color_type && has_depth) {
      header.color = kind.color;
      header.bits_per_channel = rules.bit_depth;
      return;
    }
  }
  throw SampleError("broken_image: broken PNG: colour type " + std::to_string(rules.color_type) +
                    " with " + std::to_string(rules.bit_depth) + " bits");
}

/// All chunks before the pixels. Leaves `file` behind the first IDAT's name and returns its size.
std::uint32_t read_chunks_before_pixels(ByteReader& file, PngChunkRules& rules) {
  while (true) {
    const ChunkStart start = read_chunk_start(file);
    if (start.id == "IDAT") return start.size;
    if (start.id == "IEND") throw SampleError("broken_image: broken PNG: it holds no pixels");
    if (start.id == "fdAT") {
      throw SampleError(
          "unsupported_image: unsupported PNG: its first picture is an animation frame");
    }
    const std::string_view payload = file.take(start.size);
    rules.check(start.id, payload);
    check_crc(start.id, payload, file.be32());
  }
}

struct Opened {
  ImageHeader header;
  PngChunkRules rules;
  std::uint32_t first_pixel_bytes = 0;
};

Opened open(ByteReader& file) {
  file.take(8);
  Opened opened;
  opened.first_pixel_bytes = read_chunks_before_pixels(file, opened.rules);
  opened.header.format = ImageFormat::Png;
  if (opened.rules.color_type < 0)
    throw SampleError("broken_image: broken PNG: pixels before the header");
  set_color(opened.rules, opened.header);
  set_size(opened.header, opened.rules.width, opened.rules.height);
  opened.header.animated = opened.rules.num_animation_frames > 1;
  return opened;
}

}  // namespace

void PngChunkRules::check(std::string_view id, std::string_view payload) {
  if (id == "IHDR") check_header(payload);
  if (id == "PLTE") palette = payload;
  if (id == "tRNS") check_transparency(payload);
  if (id == "iCCP") check_profile(payload);
  if (id == "gAMA") require_size(id, payload, 4);
  if (id == "cHRM" && payload.size() % 4 != 0) broken(id, "not a row of numbers");
  if (id == "sRGB") require_size(id, payload, 1);
  if (id == "pHYs") require_size(id, payload, 9);
  if (id == "tEXt") check_text(payload);
  if (id == "zTXt") check_compressed_text(payload);
  if (id == "iTXt") check_international_text(payload);
  if (id == "acTL") check_animation_control(payload);
  if (id == "fcTL") check_frame_control(payload);
}

void PngChunkRules::check_header(std::string_view payload) {
  require_size("IHDR", payload, 13);
  ByteReader reader(payload, "PNG header");
  width = reader.be32();
  height = reader.be32();
  bit_depth = reader.u8();
  color_type = reader.u8();
  reader.u8();  // compression method, which Pillow does not look at
  if (reader.u8() != 0) broken("IHDR", "unknown filter method");
  interlaced = reader.u8() != 0;
}

void PngChunkRules::check_transparency(std::string_view payload) const {
  if (color_type == 0) require_size("tRNS", payload, 2);
  if (color_type == 2 && bit_depth >= 8) require_size("tRNS", payload, 6);
}

void PngChunkRules::check_text(std::string_view payload) {
  const std::size_t end = std::min(payload.find('\0'), payload.size());
  if (end > 0) count_text(payload.size() - std::min(end + 1, payload.size()));
}

void PngChunkRules::check_compressed_text(std::string_view payload) {
  const std::size_t end = std::min(payload.find('\0'), payload.size());
  const std::string_view value = payload.substr(std::min(end + 1, payload.size()));
  if (!value.empty() && value[0] != 0) broken("zTXt", "unknown compression method");
  const Inflater::Result text = Inflater(value.substr(value.empty() ? 0 : 1)).run();
  if (text.too_large) broken("zTXt", "inflates to more than 1 MiB");
  if (end > 0 && !text.broken) count_text(text.size);
}

void PngChunkRules::check_international_text(std::string_view payload) {
  std::size_t at = payload.find('\0');
  if (at == std::string_view::npos || payload.size() - at < 3) return;
  const bool compressed = payload[at + 1] != 0;
  const bool known_method = payload[at + 2] == 0;
  const std::size_t language_end = payload.find('\0', at + 3);
  if (language_end == std::string_view::npos) return;
  const std::size_t keyword_end = payload.find('\0', language_end + 1);
  if (keyword_end == std::string_view::npos) return;
  const std::string_view value = payload.substr(keyword_end + 1);
  if (!compressed) return count_text(value.size());
  if (!known_method) return;
  const Inflater::Result text = Inflater(value).run();
  if (text.too_large) broken("iTXt", "inflates to more than 1 MiB");
  if (!text.broken) count_text(text.size);
}

void PngChunkRules::check_animation_control(std::string_view payload) {
  require_size("acTL", payload, 8);
  constexpr std::uint32_t kMaxFrames = 0x80000000U;
  const std::uint32_t num_frames = ByteReader(payload, "PNG animation").be32();
  const bool usable = !animation_control_seen_ && num_frames > 0 && num_frames <= kMaxFrames;
  num_animation_frames = usable ? num_frames : 0;
  animation_control_seen_ = usable;
}

void PngChunkRules::check_frame_control(std::string_view payload) {
  require_size("fcTL", payload, 26);
  ByteReader reader(payload, "PNG frame");
  const std::uint32_t number = reader.be32();
  if (number != (sequence_number_ ? *sequence_number_ + 1 : 0)) broken("fcTL", "out of sequence");
  sequence_number_ = number;
  const std::uint64_t frame_width = reader.be32();
  const std::uint64_t frame_height = reader.be32();
  const std::uint64_t right = reader.be32() + frame_width;
  const std::uint64_t bottom = reader.be32() + frame_height;
  if (right > width || bottom > height) broken("fcTL", "frame outside the canvas");
  partial_frame = frame_width != width || frame_height != height;
}

void PngChunkRules::count_text(std::size_t size) {
  text_bytes_ += size;
  if (text_bytes_ > kMaxTextBytes)
    throw SampleError("image_too_large: PNG with more than 64 MiB of text");
}

PngLayout read_png_layout(std::string_view encoded) {
  ByteReader file(encoded, "PNG");
  Opened opened = open(file);
  if (opened.rules.partial_frame) {
    throw SampleError(
        "unsupported_image: unsupported PNG: its first picture is smaller than its canvas");
  }
  PngLayout layout{opened.header, opened.rules, {}};
  layout.pixel_data.push_back(file.take_up_to(opened.first_pixel_bytes));
  while (file.left() >= 12) {
    file.take(4);  // the checksum of pixel data is not looked at, its Adler-32 is
    const std::uint32_t size = file.be32();
    if (file.take(4) != "IDAT") break;
    layout.pixel_data.push_back(file.take_up_to(size));
  }
  return layout;
}

void check_png_tail(std::string_view encoded, PngLayout& layout, std::size_t last_index) {
  const std::string_view last = layout.pixel_data[last_index];
  ByteReader file(encoded, "PNG");
  file.take(static_cast<std::size_t>(last.data() + last.size() - encoded.data()));
  while (file.left() >= 12) {
    file.take(4);
    const std::uint32_t size = file.be32();
    const std::string_view id = file.take(4);
    const bool next_picture = id == "fcTL" && layout.header.animated;
    if (!is_chunk_id(id) || id == "IEND" || next_picture) return;
    layout.rules.check(id, file.take(size));
  }
}

ImageHeader read_png_header(std::string_view encoded) {
  ByteReader file(encoded, "PNG");
  return open(file).header;
}

}  // namespace aitqe
