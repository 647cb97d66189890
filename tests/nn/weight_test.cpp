#include "aitqe/nn/weight.h"

#include <gtest/gtest.h>

namespace aitqe::nn {
namespace {

TEST(Weight, ConvertsEveryStoredTypeExactly) {
  const float f32[] = {1.5F, -2.0F, 0.0F};
  const std::uint16_t bf16[] = {0x3FC0, 0xC000, 0x0000};
  const std::uint16_t f16[] = {0x3E00, 0xC000, 0x0000};
  const std::vector<float> expected{1.5F, -2.0F, 0.0F};
  EXPECT_EQ((Weight{"w", {3}, kernels::ScalarType::F32, f32, nullptr}.to_floats()), expected);
  EXPECT_EQ((Weight{"w", {3}, kernels::ScalarType::BF16, bf16, nullptr}.to_floats()), expected);
  EXPECT_EQ((Weight{"w", {3}, kernels::ScalarType::F16, f16, nullptr}.to_floats()), expected);
}

TEST(Weight, CopiesIntoATensorOfItsShape) {
  const std::uint16_t bf16[] = {0x3F80, 0x4000, 0x4040, 0x4080};
  const at::Tensor tensor =
      Weight{"w", {2, 2}, kernels::ScalarType::BF16, bf16, nullptr}.to_tensor(at::kCPU, at::kFloat);
  EXPECT_TRUE(at::equal(tensor, at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 2})));
}

}  // namespace
}  // namespace aitqe::nn
