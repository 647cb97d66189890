#include "lzw.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

constexpr int kMaxCodeBits = 12;
constexpr int kTableSize = 1 << kMaxCodeBits;

/// Codes of changing width, lowest bit first, out of blocks that start with their length. A block
/// that the file does not hold whole is not begun, and an empty block does not end the data.
class CodeReader {
 public:
  explicit CodeReader(std::string_view blocks) : blocks_(blocks) {}

  int next(int bits) {
    while (num_bits_ < bits) {
      buffer_ |= static_cast<std::uint32_t>(next_byte()) << num_bits_;
      num_bits_ += 8;
    }
    const int code = static_cast<int>(buffer_ & ((1U << bits) - 1));
    buffer_ >>= bits;
    num_bits_ -= bits;
    return code;
  }

 private:
  std::uint8_t next_byte() {
    while (block_left_ == 0) {
      const std::size_t size = position_ < blocks_.size() ? at(position_) : 0;
      if (blocks_.size() - position_ < size + 1) {
        throw SampleError("truncated_image: truncated GIF: the file ends before the last row");
      }
      block_left_ = size;
      ++position_;
    }
    --block_left_;
    return at(position_++);
  }
  std::uint8_t at(std::size_t i) const { return static_cast<std::uint8_t>(blocks_[i]); }

  std::string_view blocks_;
  std::size_t position_ = 0;
  std::size_t block_left_ = 0;
  std::uint32_t buffer_ = 0;
  int num_bits_ = 0;
};

/// The strings that codes stand for: each is an earlier one and a last byte.
/// Source: Pillow 12.3 src/libImaging/GifDecode.c for what is refused.
class StringTable {
 public:
  explicit StringTable(int first_code_bits)
      : first_code_bits_(first_code_bits), clear_code_(1 << first_code_bits) {
    clear();
  }

  int clear_code() const { return clear_code_; }
  int end_code() const { return clear_code_ + 1; }
  int code_bits() const { return code_bits_; }

  void clear() {
    next_code_ = clear_code_ + 2;
    code_bits_ = first_code_bits_ + 1;
    last_code_ = -1;
  }

  /// The string of `code`, which is then also learned. Valid until the next call.
  std::span<const std::uint8_t> expand(int code) {
    const bool is_first = last_code_ < 0;
    if (code > (is_first ? clear_code_ : next_code_))
      throw SampleError("broken_image: broken GIF: unknown code");
    begin_ = string_.size();
    int walk = code;
    if (!is_first && code == next_code_) {
      push(first_byte_);
      walk = last_code_;
    }
    while (walk >= clear_code_) {
      if (walk >= kTableSize) throw SampleError("broken_image: broken GIF: unknown code");
      push(last_bytes_[static_cast<std::size_t>(walk)]);
      walk = prefixes_[static_cast<std::size_t>(walk)];
    }
    first_byte_ = static_cast<std::uint8_t>(walk);
    push(first_byte_);
    if (!is_first) learn();
    last_code_ = code;
    return std::span(string_).subspan(begin_);
  }

 private:
  void push(std::uint8_t byte) {
    if (begin_ == 0) throw SampleError("broken_image: broken GIF: string too long");
    string_[--begin_] = byte;
  }
  void learn() {
    if (next_code_ >= kTableSize) return;  // full; the encoder is to clear it
    last_bytes_[static_cast<std::size_t>(next_code_)] = first_byte_;
    prefixes_[static_cast<std::size_t>(next_code_)] = last_code_;
    const bool last_of_width = next_code_ == (1 << code_bits_) - 1;
    if (last_of_width && code_bits_ < kMaxCodeBits) ++code_bits_;
    ++next_code_;
  }

  int first_code_bits_;
  int clear_code_;
  int next_code_ = 0;
  int code_bits_ = 0;
  int last_code_ = -1;  ///< -1 right after a clear
  std::uint8_t first_byte_ = 0;
  std::array<std::uint8_t, kTableSize> last_bytes_{};
  std::array<int, kTableSize> prefixes_{};
  std::array<std::uint8_t, kTableSize + 1> string_{};  ///< filled from its end
  std::size_t begin_ = 0;
};

}  // namespace

void decode_lzw(std::string_view blocks, int first_code_bits, std::span<std::uint8_t> output) {
  if (first_code_bits > kMaxCodeBits)
    throw SampleError("broken_image: broken GIF: codes of too many bits");
  CodeReader codes(blocks);
  StringTable table(first_code_bits);
  while (!output.empty()) {
    const int code = codes.next(table.code_bits());
    if (code == table.end_code())
      throw SampleError("broken_image: broken GIF: its data ends too early");
    if (code == table.clear_code()) {
      table.clear();
      continue;
    }
    const std::span<const std::uint8_t> string = table.expand(code);
    const std::size_t size = std::min(string.size(), output.size());
    std::memcpy(output.data(), string.data(), size);
    output = output.subspan(size);
  }
}

}  // namespace aitqe
