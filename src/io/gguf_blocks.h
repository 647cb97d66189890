#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aitqe {

/// Values that are stored together, and their bytes.
struct GgufBlock {
  std::uint64_t num_values = 1;
  std::uint64_t num_bytes = 4;
};

/// Nothing for a ggml_type that is not read.
std::optional<GgufBlock> gguf_block(std::uint32_t type);

/// @param bytes  whole blocks of a type that gguf_block knows
std::vector<float> dequantize(std::uint32_t type, std::span<const std::byte> bytes);

}  // namespace aitqe
