#include "aitqe/nn/linear.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe::nn {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;

class LinearOn : public ::testing::TestWithParam<Backend> {};

TEST_P(LinearOn, EqualsTorch) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const Linear linear({{blocks.weight("linear.weight"), blocks.weight("linear.bias")}},
                      compute(GetParam()));
  EXPECT_LT(largest_difference(linear(blocks["linear.input"]), blocks["linear.output"]), 1e-5F);
}

TEST_P(LinearOn, StacksSeveralWeightsSideBySide) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const LinearWeights with_bias{blocks.weight("linear.weight"), blocks.weight("linear.bias")};
  const LinearWeights without{blocks.weight("linear.weight"), std::nullopt};
  const Linear stacked({with_bias, without}, compute(GetParam()));
  EXPECT_EQ(stacked.num_outputs(), 2 * 37);
  const at::Tensor y = stacked(blocks["linear.input"]);
  EXPECT_LT(largest_difference(y.narrow(1, 0, 37), blocks["linear.output"]), 1e-5F);
  EXPECT_LT(
      largest_difference(y.narrow(1, 37, 37), blocks["linear.output"] - blocks["linear.bias"]),
      1e-5F);
}

TEST(Linear, RoundsItsInputsInBf16) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const Linear linear({{blocks.weight("linear.weight"), blocks.weight("linear.bias")}},
                      compute(Backend::Kernels, 1, at::kBFloat16));
  const at::Tensor x = blocks["linear.input"].to(at::kBFloat16).to(at::kFloat);
  const at::Tensor w = blocks["linear.weight"].to(at::kBFloat16).to(at::kFloat);
  EXPECT_LT(
      largest_difference(linear(blocks["linear.input"]), at::linear(x, w, blocks["linear.bias"])),
      1e-5F);
}

INSTANTIATE_TEST_SUITE_P(Backends, LinearOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
