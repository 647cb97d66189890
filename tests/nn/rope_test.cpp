#include "aitqe/nn/rope.h"

#include <gtest/gtest.h>

#include "support/reference.h"

namespace aitqe::nn {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;

class RopeOn : public ::testing::TestWithParam<Backend> {};

/// [1, H, T, D] as transformers has it -> [T, H * D] as we do.
at::Tensor first_as_rows(const at::Tensor& heads) {
  return heads[0].transpose(0, 1).flatten(1).contiguous();
}

TEST_P(RopeOn, EqualsQwen2AtEarlyAndLatePositions) {
  const ReferenceTensors blocks(reference_dir() / "blocks.safetensors");
  const Rope rope(1e6, 32, 1024, compute(GetParam()));
  for (const std::string name : {"rotary", "rotary_late"}) {
    const at::Tensor positions = blocks.int64s(name + ".positions");
    const std::span<const std::int64_t> list(positions.const_data_ptr<std::int64_t>(), 9);
    const at::Tensor query = first_as_rows(blocks["rotary.query"]);
    rope.apply(query, list);
    EXPECT_LT(largest_difference(query, first_as_rows(blocks[name + ".query_output"])), 5e-6F)
        << name;
    const at::Tensor key = first_as_rows(blocks["rotary.key"]);
    rope.apply(key, list);
    EXPECT_LT(largest_difference(key, first_as_rows(blocks[name + ".key_output"])), 5e-6F) << name;
  }
}

TEST_P(RopeOn, TurnsAViewInsideWiderRows) {
  const Rope rope(1e4, 8, 16, compute(GetParam()));
  const at::Tensor wide = at::arange(3 * 24, at::kFloat).view({3, 24}) / 10;
  const at::Tensor before = wide.clone();
  const at::Tensor alone = wide.narrow(1, 8, 8).clone();
  const std::vector<std::int64_t> positions{5, 6, 7};
  rope.apply(alone, positions);
  rope.apply(wide.narrow(1, 8, 8), positions);
  EXPECT_TRUE(at::equal(wide.narrow(1, 8, 8), alone));
  EXPECT_TRUE(at::equal(wide.narrow(1, 0, 8), before.narrow(1, 0, 8)));
  EXPECT_TRUE(at::equal(wide.narrow(1, 16, 8), before.narrow(1, 16, 8)));
}

INSTANTIATE_TEST_SUITE_P(Backends, RopeOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
