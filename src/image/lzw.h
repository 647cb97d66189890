#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace aitqe {

/// GIF's LZW: fills `output` from blocks of data. Stops as soon as it is full.
/// Gives up where Pillow's decoder gives up; an end code before `output` is full is an error.
/// @throws SampleError
void decode_lzw(std::string_view blocks, int first_code_bits, std::span<std::uint8_t> output);

}  // namespace aitqe
