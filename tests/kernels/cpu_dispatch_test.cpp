#include "aitqe/kernels/cpu_dispatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::random_floats;

TEST(CpuKernels, GiveTheSameF32BitsOnEveryInstructionSet) {
  const CpuKernelList list = runnable_cpu_kernels();
  ASSERT_GE(list.count, 1);
  const auto a = random_floats(13 * 100, 1);
  const auto b = random_floats(100 * 48, 2);
  const auto row = random_floats(77, 3);
  std::vector<std::vector<float>> results;
  for (int i = 0; i < list.count; ++i) {
    const CpuKernels& kernels = *list.tables[i];
    std::vector<float> c(13 * 48);
    kernels.gemm_f32(a.data(), 100, b.data(), 48, 13, 48, 100, c.data(), 48, false);
    std::vector<float> norm(77);
    kernels.rms_norm(row.data(), b.data(), 1e-6F, 77, norm.data());
    c.insert(c.end(), norm.begin(), norm.end());
    kernels.layer_norm(row.data(), b.data(), a.data(), 1e-6F, 77, norm.data());
    c.insert(c.end(), norm.begin(), norm.end());
    kernels.silu_mul(row.data(), a.data(), 77, norm.data());
    c.insert(c.end(), norm.begin(), norm.end());
    std::vector<float> scores(row.begin(), row.begin() + 64);
    kernels.softmax(scores.data(), 3.0F, 50, 64);
    c.insert(c.end(), scores.begin(), scores.end());
    results.push_back(c);
    EXPECT_EQ(results.front(), c) << kernels.name;
  }
}

TEST(CpuKernels, GiveTheSameInt8BitsOnEveryInstructionSet) {
  constexpr int kDepth = 99;  // no whole number of quads
  constexpr int kQuads = (kDepth + 3) / 4;
  auto a = random_floats(13 * kDepth, 1);
  const auto b = random_floats(kPanelCols * kDepth, 2);
  for (int k = 0; k < kDepth; ++k) a[k] = k % 2 == 0 ? 1.0F : -1.0F;  // the largest bytes
  std::vector<std::vector<float>> results;
  const CpuKernelList list = runnable_cpu_kernels();
  for (int i = 0; i < list.count; ++i) {
    const CpuKernels& kernels = *list.tables[i];
    std::vector<std::uint32_t> rows(13 * (1 + kQuads));
    for (int m = 0; m < 13; ++m) {
      kernels.to_int8(a.data() + m * kDepth, kDepth, rows.data() + m * (1 + kQuads));
    }
    std::vector<std::uint32_t> panel((2 + kQuads) * kPanelCols);
    kernels.pack_int8(b.data(), ScalarType::F32, kDepth, kPanelCols, kDepth, panel.data());
    std::vector<float> c(13 * kPanelCols, 0.5F);
    kernels.gemm_int8(rows.data(), 1 + kQuads, panel.data(), kPanelCols, 13, kPanelCols, kQuads,
                      c.data(), kPanelCols, true);
    results.push_back(c);
    EXPECT_EQ(results.front(), c) << kernels.name;
  }
}

TEST(CpuKernels, SoftmaxSumsToOneAndClearsWhatIsMasked) {
  for (const int valid : {1, 15, 16, 17, 64}) {
    auto scores = random_floats(64, 4);
    for (int i = valid; i < 64; ++i) scores[i] = NAN;
    cpu_kernels().softmax(scores.data(), 2.0F, valid, 64);
    float sum = 0;
    for (int i = 0; i < valid; ++i) sum += scores[i];
    EXPECT_NEAR(sum, 1.0F, 1e-6F);
    for (int i = valid; i < 64; ++i) EXPECT_EQ(scores[i], 0.0F);
  }
}

TEST(CpuKernels, RoundsToBf16ToNearestEven) {
  // 1 + 2^-8 lies half way between 1 and 1 + 2^-7: even wins. 1 + 3 2^-8 goes up.
  const float from[] = {1.0F + 0x1p-8F, 1.0F + 3 * 0x1p-8F, -2.5F, NAN};
  std::uint16_t to[4];
  cpu_kernels().to_bf16(from, 4, to);
  EXPECT_EQ(to[0], 0x3F80);
  EXPECT_EQ(to[1], 0x3F82);
  EXPECT_EQ(to[2], 0xC020);
  EXPECT_EQ(to[3] & 0x7FC0, 0x7FC0);
}

TEST(CpuKernels, RoundToBf16AlikeOnEveryInstructionSet) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  auto from = random_floats(16 + 16 + 3, 6);  // whole lanes, and some more
  const float special[] = {NAN,  kInfinity, -kInfinity,     std::numeric_limits<float>::max(),
                           0.0F, -0.0F,     1.0F + 0x1p-8F, 1.0F + 3 * 0x1p-8F};
  std::copy(std::begin(special), std::end(special), from.begin());
  std::copy(std::begin(special), std::begin(special) + 3, from.end() - 3);
  const CpuKernelList list = runnable_cpu_kernels();
  std::vector<std::uint16_t> first;
  for (int i = 0; i < list.count; ++i) {
    std::vector<std::uint16_t> to(from.size());
    list.tables[i]->to_bf16(from.data(), std::ssize(from), to.data());
    if (first.empty()) first = to;
    EXPECT_EQ(to, first) << list.tables[i]->name;
  }
  EXPECT_EQ(first[0] & 0x7FC0, 0x7FC0);
  EXPECT_EQ(first[1], 0x7F80);
  EXPECT_EQ(first[3], 0x7F80) << "the largest f32 rounds up";
  EXPECT_EQ(first[5], 0x8000);
  EXPECT_EQ(first[6], 0x3F80);
  EXPECT_EQ(first[7], 0x3F82);
}

}  // namespace
}  // namespace aitqe::kernels
