#include "aitqe/kernels/fused.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "bf16.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::bf16;

// That the kernels agree with libtorch, and the GPU's with the CPU's, is in
// tests/nn/fused_test.cpp.

TEST(FusedKernels, AddsThenNormalisesInF32) {
  std::vector<float> hidden{1, 2, 3, 4, 0, 0, 0, 0};  // two rows
  const std::vector<float> update{2, 0, 0, 0, 3, 4, 0, 0};
  const std::vector<float> weight{1, 2, 1, 1};
  std::vector<float> out(8);
  fused_kernels_on_cpu().add_rms_norm(
      {ScalarType::F32, 2, 4, hidden.data(), update.data(), weight.data(), 0.25F, out.data()}, {});
  EXPECT_EQ(hidden, (std::vector<float>{3, 2, 3, 4, 3, 4, 0, 0}));
  const float first = 1 / std::sqrt(38.0F / 4 + 0.25F);
  const float second = 1 / std::sqrt(25.0F / 4 + 0.25F);
  EXPECT_EQ(out, (std::vector<float>{3 * first, 2 * (2 * first), 3 * first, 4 * first, 3 * second,
                                     2 * (4 * second), 0, 0}));
}

TEST(FusedKernels, RoundsTheSumToBf16HalfwayCasesToEven) {
  // 256 has steps of 2: 257 lies halfway between 256 and 258, 259 between 258 and 260.
  std::array<std::uint16_t, 3> hidden{bf16(256), bf16(258), bf16(256)};
  const std::array<std::uint16_t, 3> update{bf16(1), bf16(1), bf16(1.5F)};
  const std::array<float, 3> weight{1, 1, 1};
  std::array<std::uint16_t, 3> out{};
  fused_kernels_on_cpu().add_rms_norm(
      {ScalarType::BF16, 1, 3, hidden.data(), update.data(), weight.data(), 0, out.data()}, {});
  EXPECT_EQ(hidden, (std::array<std::uint16_t, 3>{bf16(256), bf16(260), bf16(258)}));
}

TEST(FusedKernels, TurnsQueriesAndKeysAndPutsKeysAndValuesInTheirPlaces) {
  // One query head, one key head, head_dim 2: a quarter turn at position 1.
  std::vector<float> qkv{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::vector<float> cos{1, 0};
  const std::vector<float> sin{0, 1};
  const std::vector<std::int32_t> positions{1, 0};
  const std::vector<std::int32_t> places{2, 0};
  std::vector<float> keys(6, -1);
  std::vector<float> values(6, -1);
  TurnAndStore work{ScalarType::F32, 2, 1, 1, 2};
  work.qkv = qkv.data();
  work.cos = cos.data();
  work.sin = sin.data();
  work.positions = positions.data();
  work.places = places.data();
  work.keys = keys.data();
  work.values = values.data();
  fused_kernels_on_cpu().turn_and_store(work, {});
  EXPECT_EQ(qkv, (std::vector<float>{-2, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(keys, (std::vector<float>{9, 10, -1, -1, -4, 3}));
  EXPECT_EQ(values, (std::vector<float>{11, 12, -1, -1, 5, 6}));
}

TEST(FusedKernels, MultipliesTheUpperHalfOfARowByItsGates) {
  const std::vector<float> gate_up{0, 1, 5, 2};
  std::vector<float> out(2);
  fused_kernels_on_cpu().silu_mul({ScalarType::F32, 1, 2, gate_up.data(), out.data()}, {});
  EXPECT_EQ(out[0], 0);
  EXPECT_FLOAT_EQ(out[1], 2 / (1 + std::exp(-1.0F)));
}

}  // namespace
}  // namespace aitqe::kernels
