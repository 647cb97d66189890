#include "aitqe/nn/norm.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe::nn {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;

class NormOn : public ::testing::TestWithParam<Backend> {
 protected:
  ReferenceTensors blocks_{reference_dir() / "blocks.safetensors"};
};

TEST_P(NormOn, RmsNormEqualsQwen2) {
  const RmsNorm norm(blocks_.weight("rms_norm.weight"), 1e-6F, compute(GetParam()));
  EXPECT_LT(largest_difference(norm(blocks_["rms_norm.input"]), blocks_["rms_norm.output"]), 2e-6F);
  EXPECT_LT(
      largest_difference(norm(blocks_["rms_norm_small.input"]), blocks_["rms_norm_small.output"]),
      2e-6F);
}

TEST_P(NormOn, LayerNormEqualsTorch) {
  const LayerNorm norm(blocks_.weight("layer_norm.weight"), blocks_.weight("layer_norm.bias"),
                       1e-6F, compute(GetParam()));
  EXPECT_LT(largest_difference(norm(blocks_["layer_norm.input"]), blocks_["layer_norm.output"]),
            2e-6F);
}

INSTANTIATE_TEST_SUITE_P(Backends, NormOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
