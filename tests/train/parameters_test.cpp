#include "aitqe/train/parameters.h"

#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>

#include "aitqe/train/adamw.h"
#include "support/errors.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

Parameters load(at::ScalarType dtype = at::kFloat) {
  return Parameters::load(test::reference_dir() / "grouped-bf16-sharded", at::kCPU, dtype);
}

const std::string kLayer = "model.model.layers.0.mlp.up_proj";

TEST(Parameters, FindsTensorsByGlob) {
  const Parameters parameters = load();
  EXPECT_EQ(parameters.matching("mm_projector.*").size(), 3U);
  EXPECT_TRUE(parameters.matching("mm_projector").empty());
  EXPECT_EQ(parameters.matching("model.model.layers.*.mlp.up_proj.weight").size(),
            parameters.matching("model.model.layers.*.mlp.down_proj.weight").size());
}

TEST(Parameters, GivesGradientsToWhatIsTrainedAlone) {
  Parameters parameters = load();
  parameters.set_trained({kLayer + ".weight"});
  const std::int64_t inputs = parameters.wide(kLayer + ".weight").size(1);
  parameters.linear(at::ones({2, inputs}), kLayer).sum().backward();
  EXPECT_TRUE(parameters.trained().at(kLayer + ".weight").grad().defined());
  parameters.set_trained({"mm_projector.2.weight"});
  EXPECT_FALSE(parameters.linear(at::ones({2, inputs}), kLayer).requires_grad());
  EXPECT_EQ(parameters.masters().size(), 2U);
}

TEST(Parameters, ComputesInBf16WithMastersRoundedToIt) {
  const std::string layer = "mm_projector.0";
  Parameters parameters = load(at::kBFloat16);
  const std::vector<std::string> names = {layer + ".weight", layer + ".bias"};
  parameters.set_trained(names);
  const at::NoGradGuard no_grad;
  const at::Tensor x = at::rand({3, parameters.wide(names[0]).size(1)});
  const at::Tensor before = parameters.linear(x, layer);
  std::vector<at::Tensor> rounded;
  for (const std::string& name : names) {
    const at::Tensor master = parameters.trained().at(name);
    EXPECT_EQ(master.scalar_type(), at::kFloat) << name;
    master.mul_(1.003);  // numbers of bf16 are a share of 0.004 to 0.008 apart
    rounded.push_back(master.to(at::kBFloat16));
    EXPECT_FALSE(at::equal(rounded.back().to(at::kFloat), master)) << name;
    EXPECT_TRUE(at::equal(parameters.wide(name), master)) << name;
  }
  const at::Tensor y = parameters.linear(x, layer);
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(y, at::linear(x.to(at::kBFloat16), rounded[0], rounded[1])));
  EXPECT_FALSE(at::equal(y, before));
}

TEST(Parameters, KeepsStepsThatAreTooShortForBf16) {
  const std::string weight = kLayer + ".weight";
  Parameters parameters = load(at::kBFloat16);
  parameters.set_trained({weight});
  const at::Tensor master = parameters.trained().at(weight);
  {
    const at::NoGradGuard no_grad;
    master.fill_(1);
  }
  const at::Tensor x = at::ones({2, master.size(1)});
  const auto expect_like = [&](double in_f32, double in_bf16) {
    EXPECT_EQ(master.scalar_type(), at::kFloat);
    EXPECT_LE(test::largest_difference(master, at::full_like(master, in_f32)), 1e-5F);
    const at::Tensor seen = at::full_like(master, in_bf16).to(at::kBFloat16);
    EXPECT_EQ(seen[0][0].item<double>(), in_bf16);
    EXPECT_TRUE(at::equal(parameters.linear(x, kLayer), at::linear(x.to(at::kBFloat16), seen)));
  };
  Adamw optimizer{AdamwOptions()};
  const auto take_steps = [&](int count) {
    for (int i = 0; i < count; ++i) {
      parameters.linear(x, kLayer).sum().backward();
      EXPECT_EQ(master.grad().scalar_type(), at::kFloat);
      // Under gradients that stay the same a step is as long as the rate: 1/39 of what lies
      // between 1 and the next number of bf16 below it, so that a weight in bf16 would never move.
      optimizer.step(parameters.trained(), {{weight, 1e-4}});
    }
  };
  expect_like(1, 1);
  take_steps(10);
  expect_like(0.999, 1);
  take_steps(90);
  expect_like(0.99, 1 - 3.0 / 256);  // the third below 1
}

TEST(Parameters, AddsLowRankFactorsThatChangeNothingAtFirst) {
  Parameters parameters = load();
  const std::int64_t inputs = parameters.wide(kLayer + ".weight").size(1);
  const at::Tensor x = at::rand({3, inputs});
  const at::Tensor before = parameters.linear(x, kLayer);
  const auto names = parameters.add_lora({"model.model.layers.*.mlp.*_proj", 4, 8}, 1);
  parameters.set_trained(names);
  EXPECT_TRUE(at::equal(parameters.linear(x, kLayer), before));

  const at::NoGradGuard no_grad;
  at::Tensor b = parameters.trained().at(kLayer + ".lora_B.weight");
  b.fill_(0.5);
  const at::Tensor a = parameters.trained().at(kLayer + ".lora_A.weight");
  const at::Tensor expected = before + at::matmul(at::matmul(x, a.t()), b.t()) * 2.0;
  EXPECT_LE(test::largest_difference(parameters.linear(x, kLayer), expected), 1e-5);

  const auto merged = parameters.merged();
  EXPECT_FALSE(merged.contains(kLayer + ".lora_A.weight"));
  EXPECT_LE(test::largest_difference(at::matmul(x, merged.at(kLayer + ".weight").t()), expected),
            1e-4);
}

TEST(Parameters, DrawsTheSameFactorsForTheSameSeed) {
  const auto factor = [](std::uint64_t seed) {
    Parameters parameters = load();
    parameters.add_lora({kLayer, 4, 8}, seed);
    return parameters.wide(kLayer + ".lora_A.weight");
  };
  EXPECT_TRUE(at::equal(factor(1), factor(1)));
  EXPECT_FALSE(at::equal(factor(1), factor(2)));
}

TEST(Parameters, KeepsTheFactorsOfAnEarlierStage) {
  Parameters parameters = load();
  const auto names = parameters.add_lora({kLayer, 4, 8}, 1);
  EXPECT_EQ(parameters.add_lora({kLayer, 4, 8}, 2), names);
  EXPECT_THAT(test::message_of([&] {
                parameters.add_lora({kLayer, 2, 8}, 2);
              }),
              HasSubstr("has rank 4 from an earlier stage"));
  EXPECT_EQ(parameters.matching(kLayer + ".*"), std::vector<std::string>{kLayer + ".weight"});
}

TEST(Parameters, GoesOnFromWhatWasTrained) {
  Parameters before = load();
  std::vector<std::string> names = before.add_lora({kLayer, 4, 8}, 1);
  names.emplace_back("mm_projector.0.bias");
  before.set_trained(names);
  {
    const at::NoGradGuard no_grad;
    for (const auto& [name, master] : before.trained()) master.fill_(0.25);
  }
  before.add("no_part_of_the_model", at::ones({2}));

  Parameters after = load();
  after.start_from(before.trained_part());
  const at::Tensor x = at::rand({3, before.wide(kLayer + ".weight").size(1)});
  EXPECT_TRUE(at::equal(after.linear(x, kLayer), before.linear(x, kLayer)));
  EXPECT_EQ(after.add_lora({kLayer, 4, 8}, 2).size(), 2U);
  EXPECT_TRUE(at::equal(after.linear(x, kLayer), before.linear(x, kLayer)));
  const Adapter part = after.trained_part();  // trained now or not, it is part of what was
  EXPECT_EQ(part.changed.size(), 1U);
  EXPECT_TRUE(at::equal(part.changed.at("mm_projector.0.bias"),
                        at::full_like(part.changed.at("mm_projector.0.bias"), 0.25)));
  EXPECT_EQ(part.low_rank.at(kLayer).scale, 2.0);
}

TEST(Parameters, RefusesAnAdapterOfAnotherModel) {
  Parameters parameters = load();
  Adapter adapter;
  adapter.changed["mm_projector.0.bias"] = at::ones({1});
  EXPECT_THAT(test::message_of([&] { parameters.start_from(adapter); }),
              HasSubstr("has no tensor \"mm_projector.0.bias\" of the shape"));
  adapter.changed.clear();
  adapter.low_rank["nothing"] = {at::ones({1, 2}), at::ones({2, 1}), 1};
  EXPECT_THAT(test::message_of([&] { parameters.start_from(adapter); }),
              HasSubstr("factors of \"nothing\" do not fit"));
}

TEST(Parameters, SaysWhatDoesNotFit) {
  Parameters parameters = load();
  EXPECT_THAT(test::message_of([&] {
                parameters.add_lora({"nothing.*", 4, 8}, 1);
              }),
              HasSubstr("fits \"nothing.*\""));
  EXPECT_THAT(test::message_of([&] { parameters.wide("nothing"); }), HasSubstr("is missing"));
  EXPECT_THAT(test::message_of([&] { parameters.restore(kLayer + ".weight", at::zeros({1})); }),
              HasSubstr("is no tensor of this model and recipe"));
}

}  // namespace
}  // namespace aitqe
