#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aitqe {

/// Fractional bits of a weight: Pillow's PRECISION_BITS, 32 - 8 - 2.
inline constexpr int kWeightBits = 22;

/// Note [Split weights]
/// A weight has up to 24 bits, too many for the 16-bit multiply-add of SSE and AVX, which does
/// twice the work of the 32-bit multiply. So w = high * 2^15 + low with 0 <= low < 2^15, and
/// sum(w * p) = (sum(high * p) << 15) + sum(low * p). The sums may wrap around 2^32 on the way;
/// the result fits, so it is exact.
inline constexpr int kLowBits = 15;

/// For each output position of one axis, which inputs count and how much.
struct AxisWeights {
  int num_outputs = 0;
  /// Weights held per output, a multiple of 4; those from `counts[i]` on are 0.
  int stride = 0;
  std::vector<int> firsts;            ///< [num_outputs] first input
  std::vector<int> counts;            ///< [num_outputs] inputs that count, at least 1
  std::vector<std::int32_t> weights;  ///< [num_outputs, stride] times 2^22
  /// [num_outputs, stride / 4, 8]: four low parts, then four high parts (Note [Split weights]).
  std::vector<std::int16_t> split;

  const std::int32_t* of(int output) const {
    return weights.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride);
  }
};

/// Pillow's bicubic weights, equal to the last bit.
AxisWeights bicubic_weights(int num_inputs, int num_outputs);

/// Bytes that may be read past the last pixel of a row, and written past the end of an output row,
/// by `resize_row_block`.
inline constexpr std::size_t kRowSlackBytes = 32;

/// Rows that `resize_row_block` does together.
inline constexpr std::size_t kBlockRows = 4;

/// Four rows of RGB, across. Both arrays hold kBlockRows rows, with slack; rows may repeat.
void resize_row_block(const std::uint8_t* const* from, std::uint8_t* const* to,
                      const AxisWeights& axis);
void resize_row_block_avx2(const std::uint8_t* const* from, std::uint8_t* const* to,
                           const AxisWeights& axis);

/// Bytes [begin, end) of one output row from `count` input rows, down.
struct Columns {
  const std::uint8_t* const* rows;
  const std::int32_t* weights;
  int count;
  std::uint8_t* to;
};
void resize_columns(const Columns& columns, std::size_t begin, std::size_t end);
void resize_columns_avx2(const Columns& columns, std::size_t begin, std::size_t end);

bool cpu_has_avx2();

}  // namespace aitqe
