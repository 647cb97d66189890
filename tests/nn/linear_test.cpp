#include "aitqe/nn/linear.h"

#include <gtest/gtest.h>

#include "support/device.h"
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

TEST(Linear, TakesWhatIsRoundedAlreadyForTheSameBits) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const Linear linear({{blocks.weight("linear.weight"), blocks.weight("linear.bias")}},
                      compute(Backend::Kernels, 1, at::kBFloat16));
  const at::Tensor& x = blocks["linear.input"];
  const bool is_even = x.size(1) % 2 == 0;
  ASSERT_EQ(linear.input_dtype(), is_even ? at::kBFloat16 : at::kFloat);
  EXPECT_TRUE(at::equal(linear(x.to(linear.input_dtype())), linear(x)));
}

TEST(Linear, FormsProductsInInt8) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const std::vector<LinearWeights> stored{
      {blocks.weight("linear.weight"), blocks.weight("linear.bias")}};
  const auto shared = compute(Backend::Kernels, 2, at::kFloat);
  const at::Tensor& x = blocks["linear.input"];
  const float error =
      largest_difference(Linear(stored, shared, Products::Int8)(x), Linear(stored, shared)(x));
  EXPECT_LT(error, 0.1F);
  EXPECT_GT(error, 1e-4F);
}

class Fp8LinearOn : public ::testing::TestWithParam<const char*> {};

TEST_P(Fp8LinearOn, IsNearTheProductInBf16) {
  const auto device = test::device_if_there(GetParam());
  if (!device) GTEST_SKIP() << "no " << GetParam() << " device here";
  if (!has_fused_kernels(*device)) GTEST_SKIP() << "built without CUDA kernels";
  Compute with = *compute(Backend::Fused, 1, at::kBFloat16);
  with.device = *device;
  const auto shared = std::make_shared<const Compute>(with);
  const auto weight_of = [](const char* name, std::vector<std::int64_t> shape, float deviation) {
    Weight weight;
    weight.name = name;
    weight.shape = std::move(shape);
    weight.drawing = Drawing{0, deviation};
    return weight;
  };
  const LinearWeights weights{weight_of("w", {96, 256}, 1.0F / 16), weight_of("b", {96}, 1)};
  const at::Tensor x = weight_of("x", {40, 256}, 1).to_tensor(*device, at::kBFloat16);
  const at::Tensor exact = Linear({weights}, shared)(x).to(at::kFloat);
  const at::Tensor y = Linear({weights}, shared, Products::Fp8)(x).to(at::kFloat);
  const float error = (y - exact).square().mean().sqrt().item<float>();  // results are about 1.4
  EXPECT_LT(error, 0.06F);
  EXPECT_GT(error, 0.005F);  // so it is FP8
}

INSTANTIATE_TEST_SUITE_P(Devices, Fp8LinearOn, ::testing::Values("cpu", "cuda"),
                         [](const auto& one) { return std::string(one.param); });
INSTANTIATE_TEST_SUITE_P(Backends, LinearOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
