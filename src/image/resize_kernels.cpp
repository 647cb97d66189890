#include "resize_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace aitqe {
namespace {

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

std::uint8_t to_u8(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

}  // namespace

void resize_row_block(const std::uint8_t* const* from, std::uint8_t* const* to,
                      const AxisWeights& axis) {
  for (std::size_t row = 0; row < kBlockRows; ++row) {
    for (int output = 0; output < axis.num_outputs; ++output) {
      const std::int32_t* weights = axis.of(output);
      const std::size_t index = static_cast<std::size_t>(output);
      const std::uint8_t* pixel = from[row] + std::ptrdiff_t{3} * axis.firsts[index];
      std::int32_t red = kHalf, green = kHalf, blue = kHalf;
      for (int i = 0; i < axis.counts[index]; ++i, pixel += 3) {
        red += weights[i] * pixel[0];
        green += weights[i] * pixel[1];
        blue += weights[i] * pixel[2];
      }
      std::uint8_t* rgb = to[row] + 3 * index;
      rgb[0] = to_u8(red);
      rgb[1] = to_u8(green);
      rgb[2] = to_u8(blue);
    }
  }
}

void resize_columns(const Columns& columns, std::size_t begin, std::size_t end) {
  for (std::size_t byte = begin; byte < end; ++byte) {
    std::int32_t sum = kHalf;
    for (int i = 0; i < columns.count; ++i) sum += columns.weights[i] * columns.rows[i][byte];
    columns.to[byte] = to_u8(sum);
  }
}

#if defined(__x86_64__)

bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

namespace {

/// (high << 15) + low + half, shifted to whole numbers; not yet clamped.
[[gnu::target("avx2")]] inline __m256i finish(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kWeightBits);
}

struct RowSums {
  __m256i low;
  __m256i high;
};

/// Four pixels from `pixel`: bytes R0 G0 B0 R1 ... become pairs (R0,R1) (G0,G1) (B0,B1) of 16 bits
/// in the lower half and those of pixels 2 and 3 in the upper; then one multiply-add per part.
[[gnu::target("avx2")]] inline void add_four(RowSums& sums, const std::uint8_t* pixel, __m256i low,
                                             __m256i high) {
  const __m256i to_pairs =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                       -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m256i bytes =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel)));
  const __m256i pairs = _mm256_shuffle_epi8(bytes, to_pairs);
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pairs, low));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pairs, high));
}

/// Adds the halves, clamps and writes R, G, B and one byte that the next pixel overwrites.
[[gnu::target("avx2")]] inline void write_pixel(const RowSums& sums, std::uint8_t* to) {
  const __m128i low =
      _mm_add_epi32(_mm256_castsi256_si128(sums.low), _mm256_extracti128_si256(sums.low, 1));
  const __m128i high =
      _mm_add_epi32(_mm256_castsi256_si128(sums.high), _mm256_extracti128_si256(sums.high, 1));
  const __m128i sum = _mm_add_epi32(_mm_slli_epi32(high, kLowBits), low);
  const __m128i whole = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kWeightBits);
  const __m128i words = _mm_packs_epi32(whole, whole);
  const int rgb = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
  std::memcpy(to, &rgb, sizeof(rgb));
}

}  // namespace

[[gnu::target("avx2")]] void resize_row_block_avx2(const std::uint8_t* const* from,
                                                   std::uint8_t* const* to,
                                                   const AxisWeights& axis) {
  // The eight 16-bit words loaded are l0 l1 l2 l3 h0 h1 h2 h3, in both halves.
  const __m256i pick_low = _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, -1, -1, -1, -1, 4,
                                            5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, -1, -1, -1, -1);
  const __m256i pick_high =
      _mm256_setr_epi8(8, 9, 10, 11, 8, 9, 10, 11, 8, 9, 10, 11, -1, -1, -1, -1, 12, 13, 14, 15, 12,
                       13, 14, 15, 12, 13, 14, 15, -1, -1, -1, -1);
  const std::int16_t* split = axis.split.data();
  for (int output = 0; output < axis.num_outputs; ++output, split += 2 * axis.stride) {
    const std::size_t index = static_cast<std::size_t>(output);
    const std::size_t start = 3 * static_cast<std::size_t>(axis.firsts[index]);
    const std::uint8_t* pixel0 = from[0] + start;
    const std::uint8_t* pixel1 = from[1] + start;
    const std::uint8_t* pixel2 = from[2] + start;
    const std::uint8_t* pixel3 = from[3] + start;
    const __m256i zero = _mm256_setzero_si256();
    RowSums row0{zero, zero}, row1{zero, zero}, row2{zero, zero}, row3{zero, zero};
    const int num_fours = (axis.counts[index] + 3) / 4;
    for (int four = 0; four < num_fours; ++four) {
      const __m256i words = _mm256_broadcastsi128_si256(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(split + std::ptrdiff_t{8} * four)));
      const __m256i low = _mm256_shuffle_epi8(words, pick_low);
      const __m256i high = _mm256_shuffle_epi8(words, pick_high);
      const std::ptrdiff_t offset = std::ptrdiff_t{12} * four;
      add_four(row0, pixel0 + offset, low, high);
      add_four(row1, pixel1 + offset, low, high);
      add_four(row2, pixel2 + offset, low, high);
      add_four(row3, pixel3 + offset, low, high);
    }
    write_pixel(row0, to[0] + 3 * index);
    write_pixel(row1, to[1] + 3 * index);
    write_pixel(row2, to[2] + 3 * index);
    write_pixel(row3, to[3] + 3 * index);
  }
}

/// 32 bytes at a time; two rows are interleaved so that one multiply-add does both.
[[gnu::target("avx2")]] void resize_columns_avx2(const Columns& columns, std::size_t begin,
                                                 std::size_t end) {
  constexpr std::size_t kStep = 32;
  constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
  const __m256i zero = _mm256_setzero_si256();
  std::size_t byte = begin;
  for (; byte + kStep <= end; byte += kStep) {
    __m256i low0 = zero, low1 = zero, low2 = zero, low3 = zero;
    __m256i high0 = zero, high1 = zero, high2 = zero, high3 = zero;
    for (int i = 0; i < columns.count; i += 2) {
      const bool paired = i + 1 < columns.count;
      const std::int32_t weight_a = columns.weights[i];
      const std::int32_t weight_b = paired ? columns.weights[i + 1] : 0;
      const __m256i low = _mm256_set1_epi32((weight_a & kLowMask) | (weight_b & kLowMask) << 16);
      const __m256i high = _mm256_set1_epi32(
          static_cast<std::int32_t>((static_cast<std::uint32_t>(weight_a >> kLowBits) & 0xffffU) |
                                    static_cast<std::uint32_t>(weight_b >> kLowBits) << 16));
      const __m256i a =
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(columns.rows[i] + byte));
      const __m256i b = _mm256_loadu_si256(
          reinterpret_cast<const __m256i*>(columns.rows[paired ? i + 1 : i] + byte));
      const __m256i ab_low = _mm256_unpacklo_epi8(a, b);
      const __m256i ab_high = _mm256_unpackhi_epi8(a, b);
      const __m256i pairs0 = _mm256_unpacklo_epi8(ab_low, zero);
      const __m256i pairs1 = _mm256_unpackhi_epi8(ab_low, zero);
      const __m256i pairs2 = _mm256_unpacklo_epi8(ab_high, zero);
      const __m256i pairs3 = _mm256_unpackhi_epi8(ab_high, zero);
      low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(pairs0, low));
      low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(pairs1, low));
      low2 = _mm256_add_epi32(low2, _mm256_madd_epi16(pairs2, low));
      low3 = _mm256_add_epi32(low3, _mm256_madd_epi16(pairs3, low));
      high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(pairs0, high));
      high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(pairs1, high));
      high2 = _mm256_add_epi32(high2, _mm256_madd_epi16(pairs2, high));
      high3 = _mm256_add_epi32(high3, _mm256_madd_epi16(pairs3, high));
    }
    const __m256i words_low = _mm256_packs_epi32(finish(low0, high0), finish(low1, high1));
    const __m256i words_high = _mm256_packs_epi32(finish(low2, high2), finish(low3, high3));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(columns.to + byte),
                        _mm256_packus_epi16(words_low, words_high));
  }
  resize_columns(columns, byte, end);
}

#else

bool cpu_has_avx2() { return false; }
void resize_row_block_avx2(const std::uint8_t* const* from, std::uint8_t* const* to,
                           const AxisWeights& axis) {
  resize_row_block(from, to, axis);
}
void resize_columns_avx2(const Columns& columns, std::size_t begin, std::size_t end) {
  resize_columns(columns, begin, end);
}

#endif

}  // namespace aitqe
