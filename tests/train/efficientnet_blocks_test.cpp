#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

#include "aitqe/model/vision_tower.h"
#include "aitqe/train/network.h"
#include "support/device.h"
#include "support/reference.h"
#include "support/small_efficientnet.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

const std::filesystem::path kSmallTower = test::reference_dir() / "efficientnet.safetensors";

Parameters load_small_tower(at::Device device) {
  const test::TemporaryFolder folder;
  std::filesystem::copy_file(kSmallTower, folder / "model.safetensors");
  return Parameters::load(folder.path(), device, at::kFloat);
}

/// Where it is computed.
class EfficientnetBlocks : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!device_) GTEST_SKIP() << "no " << GetParam() << " device here";
  }

  const std::optional<at::Device> device_ = test::device_if_there(GetParam());
  const ModelConfig config_ = test::small_efficientnet();
};

TEST_P(EfficientnetBlocks, GiveTheFeaturesThatTorchGives) {
  const test::ReferenceTensors reference(kSmallTower);
  const Parameters parameters = load_small_tower(*device_);
  const Network network(config_, parameters);
  const at::Tensor features = network.vision(reference["pixels"]).cpu();
  const at::Tensor expected = reference["features"];
  EXPECT_EQ(features.sizes(), expected.sizes());
  EXPECT_LE(test::largest_difference(features, expected), 1e-4F);
}

TEST_P(EfficientnetBlocks, GiveTheGradientsThatTorchGives) {
  const test::ReferenceTensors reference(test::reference_dir() /
                                         "training-efficientnet.safetensors");
  Parameters parameters = load_small_tower(*device_);
  parameters.set_trained(parameters.matching("vision_model.*"));
  const Network network(config_, parameters);
  network.vision(reference["pixels"]).square().sum().backward();  // as the script

  EXPECT_EQ(parameters.trained().size(), 38U);  // weights and biases of 19 convolutions
  for (const auto& [name, master] : parameters.trained()) {
    SCOPED_TRACE(name);
    const at::Tensor gradient = master.grad().cpu();
    const at::Tensor expected = reference["gradient." + name];
    EXPECT_EQ(gradient.sizes(), expected.sizes());
    const float largest = expected.abs().max().item<float>();
    EXPECT_LE(test::largest_difference(gradient, expected), 1e-4F * largest);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, EfficientnetBlocks, ::testing::Values("cpu", "cuda"),
                         [](const auto& one) { return std::string(one.param); });

TEST(EfficientnetTraining, SeesImagesAsTheEngineDoesWhateverTheirSide) {
  const ModelConfig config = test::small_efficientnet();
  const Parameters parameters = load_small_tower(at::kCPU);
  const Network network(config, parameters);
  for (const nn::Backend backend : {nn::Backend::Kernels, nn::Backend::Aten}) {
    TensorTable tensors(SafetensorsFolder::of_file(kSmallTower));
    const auto tower = make_vision_tower(config, tensors, test::compute(backend));
    // Before the strides the sides are 33 17 9 5, 44 22 11 6 and 48 24 12 6: odd and even ones pad
    // differently.
    for (const std::int64_t side : {33, 44, 48}) {
      const at::Tensor pixels = at::rand({2, 3, side, side}) * 2 - 1;
      EXPECT_LE(test::largest_difference(network.vision(pixels), (*tower)(pixels)), 1e-4F) << side;
    }
  }
}

}  // namespace
}  // namespace aitqe
