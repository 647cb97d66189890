#include "aitqe/train/adamw.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "support/device.h"

namespace aitqe {
namespace {

class AdamwOn : public ::testing::TestWithParam<const char*> {};

/// Three steps of torch.optim.AdamW (2.11) with lr 0.1, weight decay 0.5, gradients w, on
/// w = [[1, -2]]:
///   w = torch.nn.Parameter(torch.tensor([[1., -2.]])); o = torch.optim.AdamW([w], 0.1,
///   weight_decay=0.5) for _ in range(3): w.grad = w.detach().clone(); o.step(); print(w)
TEST_P(AdamwOn, StepsAsPyTorchDoes) {
  const std::optional<at::Device> device = test::device_if_there(GetParam());
  if (!device) GTEST_SKIP() << "no " << GetParam() << " device here";
  at::Tensor w = at::tensor({1.0F, -2.0F}, at::kFloat).view({1, 2}).to(*device);
  w.requires_grad_(true);
  Adamw optimizer({.weight_decay = 0.5});
  const std::map<std::string, at::Tensor> masters = {{"w", w}};
  const std::vector<std::vector<float>> expected = {
      {0.8500000F, -1.8000000F}, {0.7082484F, -1.6104121F}, {0.5749739F, -1.4310251F}};
  for (const auto& values : expected) {
    w.mutable_grad() = w.detach().clone();
    optimizer.step(masters, {{"w", 0.1}});
    EXPECT_NEAR(w[0][0].item<float>(), values[0], 1e-6);
    EXPECT_NEAR(w[0][1].item<float>(), values[1], 1e-6);
    EXPECT_FALSE(w.grad().defined());
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, AdamwOn, ::testing::Values("cpu", "cuda"),
                         [](const auto& one) { return std::string(one.param); });

TEST(Adamw, GoesOnFromASavedState) {
  const auto run = [](int pause_after) {
    at::Tensor w = at::tensor({1.0F, -2.0F, 3.0F}, at::kFloat);
    w.requires_grad_(true);
    auto optimizer = std::make_unique<Adamw>(AdamwOptions());
    for (int i = 0; i < 10; ++i) {
      if (i == pause_after) {
        const auto state = optimizer->state();
        const auto steps = optimizer->num_steps();
        optimizer = std::make_unique<Adamw>(AdamwOptions());
        optimizer->restore(steps, state);
      }
      w.mutable_grad() = w.detach() * w.detach();
      optimizer->step({{"w", w}}, {{"w", 0.05}});
    }
    return w.detach().clone();
  };
  EXPECT_TRUE(at::equal(run(-1), run(4)));
}

TEST(Schedule, WarmsUpAndFallsAsACosine) {
  EXPECT_DOUBLE_EQ(schedule(0, 100, 10, 0.1), 0.1);
  EXPECT_DOUBLE_EQ(schedule(9, 100, 10, 0.1), 1.0);
  EXPECT_DOUBLE_EQ(schedule(10, 100, 10, 0.1), 1.0);
  EXPECT_NEAR(schedule(55, 100, 10, 0.1), 0.55, 1e-9);
  EXPECT_NEAR(schedule(100, 100, 10, 0.1), 0.1, 1e-9);
  EXPECT_DOUBLE_EQ(schedule(0, 1, 0, 0.1), 1.0);
}

TEST(ClipGradients, ScalesAllTogether) {
  at::Tensor a = at::zeros({1});
  at::Tensor b = at::zeros({1});
  a.requires_grad_(true);
  b.requires_grad_(true);
  a.mutable_grad() = at::full({1}, 3.0F);
  b.mutable_grad() = at::full({1}, 4.0F);
  const std::map<std::string, at::Tensor> masters = {{"a", a}, {"b", b}};
  EXPECT_DOUBLE_EQ(clip_gradients(masters, 0), 5.0);
  EXPECT_DOUBLE_EQ(clip_gradients(masters, 1), 5.0);
  EXPECT_NEAR(a.grad().item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(b.grad().item<float>(), 0.8, 1e-6);
}

}  // namespace
}  // namespace aitqe
