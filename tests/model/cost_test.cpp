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
  config.projector_hidden_size = 3584;
  const PairCost cost = pair_cost(config, 71);
  EXPECT_NEAR(cost.vision_gflop, 577 + 64 + 1, 3);
  EXPECT_NEAR(cost.projector_gflop, 25, 1);
  EXPECT_NEAR(cost.prefill_gflop, 10440 + 128, 15);
  EXPECT_NEAR(cost.decode_gflop_per_token, 14.1, 0.1);
  EXPECT_EQ(cost.kv_bytes_per_token, 57344);
}

// EfficientNet-Lite0: 4.65 M parameters with its classifier of 1.28 M; 0.39 G multiply-adds, as the
// paper's table 2 has for B0, which it equals but for the gates.
TEST(PairCost, CountsTheConvolutionsOfAnEfficientnet) {
  ModelConfig config;
  config.vision.family = VisionFamily::EfficientnetLite;
  config.vision.image_size = 224;
  config.vision.hidden_size = 1280;
  config.vision.stages = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
                          {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
  const PairCost cost = pair_cost(config, 71);
  EXPECT_NEAR(static_cast<double>(cost.vision_parameters), 3.36e6, 0.05e6);
  EXPECT_NEAR(cost.vision_gflop, 2 * 0.39, 0.02);
}

}  // namespace
}  // namespace aitqe
