#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "aitqe/base/error.h"

namespace aitqe {

/// Integers and spans out of untrusted bytes. Every read past the end throws SampleError
/// "truncated <what>: ...", where `what` was given at construction.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string_view what) : bytes_(bytes), what_(what) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

  std::string_view take(std::size_t size) {
    if (size > left()) {
      throw SampleError("truncated_image: truncated " + std::string(what_) + ": ends at byte " +
                        std::to_string(bytes_.size()) + ", " + std::to_string(size) +
                        " bytes wanted at byte " + std::to_string(position_));
    }
    const std::string_view span = bytes_.substr(position_, size);
    position_ += size;
    return span;
  }
  /// As many of `size` bytes as there are.
  std::string_view take_up_to(std::size_t size) { return take(size < left() ? size : left()); }

  std::uint8_t u8() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t be16() { return be(2); }
  std::uint32_t be32() { return be(4); }
  std::uint32_t le16() { return le(2); }
  std::uint32_t le32() { return le(4); }

 private:
  std::uint32_t be(std::size_t size) {
    std::uint32_t value = 0;
    for (const char c : take(size)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }
  std::uint32_t le(std::size_t size) {
    std::uint32_t value = 0;
    int shift = 0;
    for (const char c : take(size)) {
      value |= static_cast<std::uint32_t>(static_cast<std::uint8_t>(c)) << shift;
      shift += 8;
    }
    return value;
  }

  std::string_view bytes_;
  std::string_view what_;
  std::size_t position_ = 0;
};

}  // namespace aitqe
