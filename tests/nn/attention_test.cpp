#include "aitqe/nn/attention.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "support/reference.h"

namespace aitqe::nn {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;

/// [H, T, D] -> [T, H * D].
at::Tensor as_rows(const at::Tensor& heads) {
  return heads.transpose(0, 1).flatten(1).contiguous();
}

at::Tensor write_and_attend(const Attention& attention, const std::array<at::Tensor, 3>& qkv,
                            const std::vector<AttentionRows>& rows,
                            const std::vector<KvView>& caches) {
  attention.write(qkv[1], qkv[2], rows, caches);
  return attention.attend(qkv[0], rows, caches, qkv[0].scalar_type());
}

class AttentionOn : public ::testing::TestWithParam<Backend> {
 protected:
  ReferenceTensors blocks_{reference_dir() / "blocks.safetensors"};
  std::shared_ptr<const Compute> compute_ = compute(GetParam());
};

TEST_P(AttentionOn, EqualsQwen2WithGroupedHeadsAndTwoSequencesInOneBatch) {
  const kernels::AttentionShape shape{6, 3, 16, 0.25F, true};
  const Attention attention(shape, compute_);
  const auto cache0 = allocate_kv(*compute_, 1, shape, 20);
  const auto cache1 = allocate_kv(*compute_, 1, shape, 100);
  const auto packed = [&](const char* name) {
    return at::cat({as_rows(blocks_[name][0]), as_rows(blocks_[name][1])});
  };
  const std::vector<AttentionRows> rows{{0, 11, 0}, {11, 11, 0}};
  const std::vector<KvView> caches{cache0[0], cache1[0]};
  const at::Tensor out =
      write_and_attend(attention,
                       {packed("causal_attention.query"), packed("causal_attention.key"),
                        packed("causal_attention.value")},
                       rows, caches);
  const at::Tensor expected =
      blocks_["causal_attention.output"].flatten(2).flatten(0, 1);  // [2 * 11, 96]
  EXPECT_LT(largest_difference(out, expected), 3e-6F);
}

TEST_P(AttentionOn, ContinuesFromTheCache) {
  const kernels::AttentionShape shape{6, 3, 16, 0.25F, true};
  const Attention attention(shape, compute_);
  const auto cache = allocate_kv(*compute_, 1, shape, 20);
  const std::vector<KvView> caches{cache[0]};
  const at::Tensor q = as_rows(blocks_["causal_attention.query"][0]);
  const at::Tensor k = as_rows(blocks_["causal_attention.key"][0]);
  const at::Tensor v = as_rows(blocks_["causal_attention.value"][0]);
  std::vector<at::Tensor> parts;
  for (const auto& [first, count] : std::vector<std::pair<int, int>>{{0, 4}, {4, 6}, {10, 1}}) {
    const std::vector<AttentionRows> rows{{0, count, first}};
    parts.push_back(write_and_attend(
        attention,
        {q.narrow(0, first, count), k.narrow(0, first, count), v.narrow(0, first, count)}, rows,
        caches));
  }
  const at::Tensor expected = blocks_["causal_attention.output"][0].flatten(1);
  EXPECT_LT(largest_difference(at::cat(parts), expected), 3e-6F);
}

TEST_P(AttentionOn, EqualsSiglipWithoutMask) {
  const kernels::AttentionShape shape{2, 2, 72, 1.0F / std::sqrt(72.0F), false};
  const Attention attention(shape, compute_);
  const auto cache = allocate_kv(*compute_, 1, shape, 13);
  const std::vector<AttentionRows> rows{{0, 13, 0}};
  const at::Tensor out = write_and_attend(
      attention,
      {as_rows(blocks_["full_attention.query"][0]), as_rows(blocks_["full_attention.key"][0]),
       as_rows(blocks_["full_attention.value"][0])},
      rows, cache);
  EXPECT_LT(largest_difference(out, blocks_["full_attention.output"][0].flatten(1)), 3e-6F);
}

TEST_P(AttentionOn, EqualsSiglipWithoutKeepingKeys) {
  const kernels::AttentionShape shape{2, 2, 72, 1.0F / std::sqrt(72.0F), false};
  const Attention attention(shape, compute_);
  const auto packed = [&](const char* name) {
    return at::cat({as_rows(blocks_[name][0]), as_rows(blocks_[name][0]) * 0.5});
  };
  const at::Tensor qkv = at::cat({packed("full_attention.query"), packed("full_attention.key"),
                                  packed("full_attention.value")},
                                 1);  // of two images
  ASSERT_EQ(attention.dense_dtype(), at::kFloat);
  const at::Tensor out = attention.attend_dense(qkv, 2, at::kFloat);
  EXPECT_LT(
      largest_difference(out.narrow(0, 0, 13), blocks_["full_attention.output"][0].flatten(1)),
      3e-6F);
  EXPECT_TRUE(
      at::equal(attention.attend_dense(qkv.narrow(0, 0, 13), 1, at::kFloat), out.narrow(0, 0, 13)));
}

INSTANTIATE_TEST_SUITE_P(Backends, AttentionOn, ::testing::Values(Backend::Kernels, Backend::Aten));

}  // namespace
}  // namespace aitqe::nn
