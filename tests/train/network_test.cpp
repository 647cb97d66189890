#include "aitqe/train/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <tuple>

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

/// Checkpoint, how the texts are laid out, and where it is computed.
class NetworkGradients
    : public ::testing::TestWithParam<std::tuple<const char*, TreeLayout, const char*>> {};

TEST_P(NetworkGradients, EqualPyTorchsWithTextsThatShareTheirBeginnings) {
  const std::string name = std::get<0>(GetParam());
  const std::optional<at::Device> device = test::device_if_there(std::get<2>(GetParam()));
  if (!device) GTEST_SKIP() << "no " << std::get<2>(GetParam()) << " device here";
  const ReferenceStep step(name);
  const ModelConfig config = load_model_config(reference_dir() / name);
  Parameters parameters = Parameters::load(reference_dir() / name, *device, at::kFloat);
  parameters.set_trained(parameters.matching("*"));
  const Network network(config, parameters);

  const auto texts = step.texts();
  const TokenTrees trees = pack_trees(texts, *device, std::get<1>(GetParam()));
  // 0.0 of weight where texts share what follows would hide a mistake: each target counts once.
  const at::Tensor images = network.project(network.vision(step.tensors["pixels"]));
  const at::Tensor hidden = network.read(trees, images);
  const at::Tensor losses =
      at::cross_entropy_loss(network.logits(hidden.index_select(0, trees.target_rows)),
                             trees.target_ids, {}, at::Reduction::None);
  const at::Tensor loss = (losses * trees.target_weights).sum();
  loss.backward();
  const float expected = step.tensors["loss"].item<float>();
  EXPECT_NEAR(loss.item<float>() / expected, 1.0, 1e-5);

  int compared = 0;
  for (const auto& [key, info] : step.file->tensors()) {
    if (!key.starts_with("gradient.")) continue;
    const std::string tensor = key.substr(std::string("gradient.").size());
    SCOPED_TRACE(tensor);
    ASSERT_TRUE(parameters.trained().contains(tensor));
    ASSERT_TRUE(parameters.trained().at(tensor).grad().defined());
    const at::Tensor gradient = parameters.trained().at(tensor).grad().cpu();
    const float norm = step.tensors["gradient_norm." + tensor].item<float>();
    // The keys' biases move no softmax: their gradients are rounding on both sides.
    EXPECT_NEAR(gradient.norm().item<float>(), norm, 1e-4F * (1 + norm));
    EXPECT_LE(test::largest_difference(sample(gradient), step.tensors[key]), 1e-4F);
    ++compared;
  }
  EXPECT_GT(compared, 50);
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

}  // namespace
}  // namespace aitqe
