#include "aitqe/nn/mlp.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe::nn {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;

class MlpOn : public ::testing::TestWithParam<Backend> {
 protected:
  ReferenceTensors blocks_{reference_dir() / "blocks.safetensors"};
};

/// The identity of n inputs as a weight that owns its values.
Weight identity(std::int64_t n) {
  const auto values = std::make_shared<std::vector<float>>(static_cast<std::size_t>(n * n), 0.0F);
  for (std::int64_t i = 0; i < n; ++i) (*values)[static_cast<std::size_t>(i * n + i)] = 1.0F;
  return {"identity", {n, n}, kernels::ScalarType::F32, values->data(), values};
}

TEST_P(MlpOn, SwigluEqualsQwen2) {
  const SwigluMlp mlp({blocks_.weight("swiglu.gate_weight"), std::nullopt},
                      {blocks_.weight("swiglu.up_weight"), std::nullopt},
                      {blocks_.weight("swiglu.down_weight"), std::nullopt}, compute(GetParam()));
  EXPECT_LT(largest_difference(mlp(blocks_["swiglu.input"]), blocks_["swiglu.output"]), 5e-6F);
}

TEST_P(MlpOn, GeluEqualsTorch) {
  const at::Tensor x = blocks_["gelu_exact.input"].unsqueeze(0);
  const LinearWeights one{identity(x.size(1)), std::nullopt};
  const GeluMlp exact(one, Gelu::Erf, one, compute(GetParam()));
  const GeluMlp approximate(one, Gelu::Tanh, one, compute(GetParam()));
  EXPECT_LT(largest_difference(exact(x), blocks_["gelu_exact.output"].unsqueeze(0)), 2e-6F);
  EXPECT_LT(largest_difference(approximate(x), blocks_["gelu_tanh.output"].unsqueeze(0)), 2e-6F);
}

TEST(SwigluMlp, InBf16RoundsOnlyWhatItMultiplies) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const LinearWeights gate{blocks.weight("swiglu.gate_weight"), std::nullopt};
  const LinearWeights up{blocks.weight("swiglu.up_weight"), std::nullopt};
  const LinearWeights down{blocks.weight("swiglu.down_weight"), std::nullopt};
  const auto in_bf16 = compute(Backend::Kernels, 2, at::kBFloat16);
  const at::Tensor& x = blocks["swiglu.input"];
  const at::Tensor product = at::silu(Linear({gate}, in_bf16)(x)) * Linear({up}, in_bf16)(x);
  const at::Tensor expected = Linear({down}, in_bf16)(product);
  EXPECT_LT(largest_difference(SwigluMlp(gate, up, down, in_bf16)(x), expected), 2e-3F);
}

INSTANTIATE_TEST_SUITE_P(Backends, MlpOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
