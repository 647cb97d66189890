#include "gguf_blocks.h"

#include <cmath>
#include <cstring>

#include "aitqe/io/gguf.h"

namespace aitqe {

namespace {

constexpr std::size_t kBlockValues = 32;
constexpr std::size_t kHalf = kBlockValues / 2;

float read_half(const std::byte* bytes) {
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  float value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

/// 16 bytes hold 32 values of four bits: value i low, value i + 16 high in byte i.
void read_nibbles(const std::byte* bytes, float scale, int zero, float lowest, float* values) {
  for (std::size_t i = 0; i < kHalf; ++i) {
    const int both = std::to_integer<int>(bytes[i]);
    values[i] = static_cast<float>((both & 15) - zero) * scale + lowest;
    values[i + kHalf] = static_cast<float>((both >> 4) - zero) * scale + lowest;
  }
}

void read_block(GgufType type, const std::byte* block, float* values) {
  switch (type) {
    case GgufType::F32:
      std::memcpy(values, block, sizeof(float));
      return;
    case GgufType::F16:
      *values = read_half(block);
      return;
    case GgufType::Q4_0:
      read_nibbles(block + 2, read_half(block), 8, 0.0F, values);
      return;
    case GgufType::Q4_1:
      read_nibbles(block + 4, read_half(block), 0, read_half(block + 2), values);
      return;
    case GgufType::Q8_0: {
      const float scale = read_half(block);
      for (std::size_t i = 0; i < kBlockValues; ++i) {
        values[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
      }
      return;
    }
  }
}

}  // namespace

std::optional<GgufBlock> gguf_block(std::uint32_t type) {
  switch (static_cast<GgufType>(type)) {
    case GgufType::F32:
      return GgufBlock{1, 4};
    case GgufType::F16:
      return GgufBlock{1, 2};
    case GgufType::Q4_0:
      return GgufBlock{kBlockValues, 2 + kHalf};
    case GgufType::Q4_1:
      return GgufBlock{kBlockValues, 4 + kHalf};
    case GgufType::Q8_0:
      return GgufBlock{kBlockValues, 2 + kBlockValues};
  }
  return std::nullopt;
}

std::vector<float> dequantize(std::uint32_t type, std::span<const std::byte> bytes) {
  const GgufBlock block = *gguf_block(type);
  const std::size_t num_blocks = bytes.size() / block.num_bytes;
  std::vector<float> values(num_blocks * block.num_values);
  for (std::size_t i = 0; i < num_blocks; ++i) {
    read_block(static_cast<GgufType>(type), bytes.data() + i * block.num_bytes,
               values.data() + i * block.num_values);
  }
  return values;
}

}  // namespace aitqe
