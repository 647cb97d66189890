#include "aitqe/model/cost.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

// The released model: SigLIP so400m-384 and Qwen2-7B; figures worked out by hand in the arithmetic
// of a pair: 15.22 M weights a vision layer, 233.05 M a language layer, 11.2 TFLOP for 800 tokens.
TEST(PairCost, EqualsTheArithmeticOfTheReleasedModel) {
  ModelConfig config;
  config.vision = {1152, 4304, 27, 16, 384, 14, 1e-6, "gelu_pytorch_tanh"};
  config.num_image_tokens = 729;
  config.text.hidden_size = 3584;
  config.text.intermediate_size = 18944;
  config.text.num_layers = 28;
  config.text.num_heads = 28;
  config.text.num_kv_heads = 4;
  config.text.head_dim = 128;
  config.text.vocab_size = 152064;
  const PairCost cost = pair_cost(config, 71);
  EXPECT_NEAR(cost.vision_gflop, 577 + 64 + 1, 3);
  EXPECT_NEAR(cost.projector_gflop, 25, 1);
  EXPECT_NEAR(cost.prefill_gflop, 10440 + 128, 15);
  EXPECT_NEAR(cost.decode_gflop_per_token, 14.1, 0.1);
  EXPECT_EQ(cost.kv_bytes_per_token, 57344);
}

}  // namespace
}  // namespace aitqe
