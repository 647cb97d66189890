#include "aitqe/train/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "support/device.h"
#include "support/load_mllm.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using test::reference_dir;

/// One training step as PyTorch computed it (scripts/make_training_reference.py).
struct ReferenceStep {
  explicit ReferenceStep(const std::string& checkpoint)
      : file(SafetensorsFile::open(reference_dir() / ("training-" + checkpoint + ".safetensors"))),
        tensors(reference_dir() / ("training-" + checkpoint + ".safetensors")) {}

  std::vector<std::vector<TargetSequence>> texts() const {
    std::vector<std::vector<TargetSequence>> images;
    for (int image = 0; image < 2; ++image) {
      images.emplace_back();
      for (int text = 0; text < 3; ++text) {
        const std::string name = "text." + std::to_string(image) + "." + std::to_string(text);
        if (!file->tensors().contains(name + ".ids")) continue;
        const at::Tensor ids = tensors.int64s(name + ".ids");
        const at::Tensor weights = tensors[name + ".weights"];
        TargetSequence sequence;
        for (std::int64_t i = 0; i < ids.numel(); ++i) {
          sequence.ids.push_back(static_cast<std::int32_t>(ids[i].item<std::int64_t>()));
          sequence.weights.push_back(weights[i].item<float>());
        }
        images.back().push_back(std::move(sequence));
      }
    }
    return images;
  }

  std::shared_ptr<const SafetensorsFile> file;
  test::ReferenceTensors tensors;
};

at::Tensor sample(const at::Tensor& values) {
  constexpr std::int64_t kSampledValues = 48;  // as the script
  const at::Tensor flat = values.flatten();
  const std::int64_t stride = std::max<std::int64_t>(1, flat.numel() / kSampledValues);
  return flat.slice(0, 0, flat.numel(), stride).slice(0, 0, kSampledValues);
}

/// A tensor's gradient, and PyTorch's.
struct GradientPair {
  std::string tensor;
  float norm = 0;
  float expected_norm = 0;
  at::Tensor values;  // evenly spaced ones
  at::Tensor expected_values;
};

/// Checkpoint, how the texts are laid out, and where it is computed.
class NetworkGradients
    : public ::testing::TestWithParam<std::tuple<const char*, TreeLayout, const char*>> {
 protected:
  void SetUp() override {
    if (!device_) GTEST_SKIP() << "no " << std::get<2>(GetParam()) << " device here";
  }

  Parameters load_parameters(at::ScalarType dtype) const {
    return Parameters::load(folder_, *device_, dtype);
  }

  /// The loss of the texts; its gradients then lie in the masters.
  float take_gradients(const Parameters& parameters) const {
    const Network network(config_, parameters);
    const auto texts = step_.texts();
    const TokenTrees trees = pack_trees(texts, *device_, std::get<1>(GetParam()));
    // 0.0 of weight where texts share what follows would hide a mistake: each target counts once.
    const at::Tensor images = network.project(network.vision(step_.tensors["pixels"]));
    const at::Tensor hidden = network.read(trees, images);
    const at::Tensor losses =
        at::cross_entropy_loss(network.logits(hidden.index_select(0, trees.target_rows)),
                               trees.target_ids, {}, at::Reduction::None);
    const at::Tensor loss = (losses * trees.target_weights).sum();
    loss.backward();
    return loss.item<float>();
  }

  /// Of every tensor whose gradient the file holds.
  std::vector<GradientPair> pairs(const Parameters& parameters) const {
    const std::string prefix = "gradient.";
    std::vector<GradientPair> found;
    for (const auto& [key, info] : step_.file->tensors()) {
      if (!key.starts_with(prefix)) continue;
      const std::string tensor = key.substr(prefix.size());
      const at::Tensor gradient = parameters.trained().at(tensor).grad().cpu();
      EXPECT_EQ(gradient.scalar_type(), at::kFloat) << tensor;
      found.push_back({tensor, gradient.norm().item<float>(),
                       step_.tensors["gradient_norm." + tensor].item<float>(), sample(gradient),
                       step_.tensors[key]});
    }
    return found;
  }

  const std::optional<at::Device> device_ = test::device_if_there(std::get<2>(GetParam()));
  const std::filesystem::path folder_ = reference_dir() / std::get<0>(GetParam());
  const ModelConfig config_ = load_model_config(folder_);
  const ReferenceStep step_{std::get<0>(GetParam())};
};

TEST_P(NetworkGradients, EqualPyTorchsWithTextsThatShareTheirBeginnings) {
  Parameters parameters = load_parameters(at::kFloat);
  parameters.set_trained(parameters.matching("*"));
  const float loss = take_gradients(parameters);
  EXPECT_NEAR(loss / step_.tensors["loss"].item<float>(), 1.0, 1e-5);

  const std::vector<GradientPair> compared = pairs(parameters);
  for (const GradientPair& one : compared) {
    SCOPED_TRACE(one.tensor);
    // The keys' biases move no softmax: their gradients are rounding on both sides.
    EXPECT_NEAR(one.norm, one.expected_norm, 1e-4F * (1 + one.expected_norm));
    EXPECT_LE(test::largest_difference(one.values, one.expected_values), 1e-4F);
  }
  EXPECT_GT(compared.size(), 50U);
}

TEST_P(NetworkGradients, EqualPyTorchsOfLowRankFactors) {
  // As LORA of the script.
  const std::vector<LoraOptions> additions = {
      {"model.model.layers.1.*_proj", 3, 6},
      {"mm_projector.*", 2, 1},
      {"vision_model.vision_model.encoder.layers.0.mlp.fc?", 2, 3}};
  Parameters parameters = load_parameters(at::kFloat);
  std::vector<std::string> factors;
  for (const LoraOptions& addition : additions) {
    const std::vector<std::string> added = parameters.add_lora(addition, /*seed=*/1);
    factors.insert(factors.end(), added.begin(), added.end());
  }
  for (const std::string& factor : factors) {
    parameters.restore(factor, step_.tensors["lora." + factor]);  // none is 0, as a new one is
  }
  parameters.set_trained(factors);
  const float loss = take_gradients(parameters);
  EXPECT_NEAR(loss / step_.tensors["lora_loss"].item<float>(), 1.0, 1e-5);

  for (const std::string& factor : factors) {
    SCOPED_TRACE(factor);
    const at::Tensor gradient = parameters.trained().at(factor).grad().cpu();
    const at::Tensor expected = step_.tensors["lora_gradient." + factor];
    EXPECT_EQ(gradient.sizes(), expected.sizes());
    const float largest = expected.abs().max().item<float>();
    EXPECT_LE(test::largest_difference(gradient, expected), 1e-4F * largest);
  }
  EXPECT_EQ(factors.size(), 22U);                          // A and B of 11 layers
  EXPECT_EQ(parameters.masters().size(), factors.size());  // what they are added to is frozen
}

TEST_P(NetworkGradients, AreNearPyTorchsWithProductsInBf16) {
  Parameters parameters = load_parameters(at::kBFloat16);
  parameters.set_trained(parameters.matching("*"));
  const float loss = take_gradients(parameters);
  EXPECT_NEAR(loss / step_.tensors["loss"].item<float>(), 1.0, 5e-3);

  // With the same roundings in Python it is at most 0.042, and 0.012 of a norm.
  constexpr float kMost = 0.12F;
  float furthest = 0;
  for (const GradientPair& one : pairs(parameters)) {
    SCOPED_TRACE(one.tensor);
    if (one.expected_norm < 1e-3F) continue;  // the keys' biases, as above
    EXPECT_NEAR(one.norm / one.expected_norm, 1.0, 0.05);
    const float apart = (one.values - one.expected_values).norm().item<float>() /
                        one.expected_values.norm().item<float>();
    EXPECT_LE(apart, kMost);
    furthest = std::max(furthest, apart);
  }
  EXPECT_GT(furthest, 1e-3F);  // else the products were in f32
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, NetworkGradients,
    ::testing::Combine(::testing::Values("grouped-bf16-sharded", "tied-f32-single"),
                       ::testing::Values(TreeLayout::EachTree, TreeLayout::Padded),
                       ::testing::Values("cpu", "cuda")),
    [](const auto& one) {
      std::string name = std::get<0>(one.param);
      std::replace(name.begin(), name.end(), '-', '_');
      const bool padded = std::get<1>(one.param) == TreeLayout::Padded;
      return name + (padded ? "_padded_" : "_each_") + std::get<2>(one.param);
    });

TEST(Network, SeesImagesAsTheEngineDoes) {
  const std::string name = "drop-first-mixed";
  const ModelConfig config = load_model_config(reference_dir() / name);
  const Parameters parameters = Parameters::load(reference_dir() / name, at::kCPU, at::kFloat);
  const Network network(config, parameters);
  const auto model = test::load_mllm(reference_dir() / name, *test::compute(nn::Backend::Kernels));
  const at::Tensor pixels = at::rand({2, 3, config.vision.image_size, config.vision.image_size});
  EXPECT_LE(test::largest_difference(network.project(network.vision(pixels)),
                                     model->encode_images(pixels)),
            1e-4);
}

TEST(Network, ProjectsTheMeanOfAllPlacesBehindThemWhereConfigured) {
  const std::string name = "drop-first-mixed";
  ModelConfig config = load_model_config(reference_dir() / name);
  const Parameters parameters = Parameters::load(reference_dir() / name, at::kCPU, at::kFloat);
  const at::Tensor places = at::rand({2, 5, config.vision.hidden_size});
  const at::Tensor with_mean = at::cat({places, places.mean(1, /*keepdim=*/true)}, 1);
  const at::Tensor expected = Network(config, parameters).project(with_mean);
  config.vision.with_mean = true;
  EXPECT_LE(test::largest_difference(Network(config, parameters).project(places), expected), 1e-6);
}

}  // namespace
}  // namespace aitqe
