#include "aitqe/train/token_trees.h"

#include <gtest/gtest.h>

#include <cmath>

#include "aitqe/quality/prompt.h"

namespace aitqe {
namespace {

TEST(TokenTrees, RunsCommonBeginningsOnceAndLetsTokensSeeTheirOwnWayOnly) {
  const std::int32_t image = kImageSlot;
  const std::vector<std::vector<TargetSequence>> texts = {
      {{{image, image, 5, 6, 7}, {0, 0, 0, 1, 2}}, {{image, image, 5, 8}, {0, 0, 0, 3}}},
      {{{image, image, 9}, {0, 0, 1}}}};
  const TokenTrees trees = pack_trees(texts, at::kCPU);
  ASSERT_EQ(trees.trees.size(), 2U);
  EXPECT_EQ(trees.trees[0].num_rows, 6);  // 2 slots, 5, 6, 7, 8
  EXPECT_EQ(trees.trees[1].first_row, 6);
  EXPECT_TRUE(at::equal(trees.ids, at::tensor({0, 0, 5, 6, 7, 8, 0, 0, 9}, at::kLong)));
  EXPECT_TRUE(at::equal(trees.positions, at::tensor({0, 1, 2, 3, 4, 3, 0, 1, 2}, at::kLong)));
  EXPECT_TRUE(at::equal(trees.image_rows, at::tensor({0, 1, 6, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(trees.target_rows, at::tensor({2, 3, 2, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(trees.target_ids, at::tensor({6, 7, 8, 9}, at::kLong)));
  EXPECT_TRUE(at::equal(trees.target_weights, at::tensor({1, 2, 3, 1}, at::kFloat)));
  EXPECT_EQ(trees.last_rows, (std::vector<std::int64_t>{4, 5, 8}));

  const at::Tensor mask = trees.trees[0].mask;
  const auto sees = [&](int row, int other) { return mask[row][other].item<float>() == 0; };
  EXPECT_TRUE(sees(5, 0) && sees(5, 1) && sees(5, 2) && sees(5, 5));
  EXPECT_FALSE(sees(5, 3) || sees(5, 4));  // the other text's end
  EXPECT_FALSE(sees(0, 1));                // causal over the image too
  EXPECT_TRUE(sees(4, 3));
  EXPECT_TRUE(std::isinf(mask[0][1].item<float>()));
}

}  // namespace
}  // namespace aitqe
