#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "aitqe/io/safetensors_writer.h"
#include "aitqe/model/vision_tower.h"
#include "support/reference.h"
#include "support/small_efficientnet.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

const std::filesystem::path kFile = test::reference_dir() / "efficientnet.safetensors";

class EfficientnetTest : public ::testing::TestWithParam<nn::Backend> {};

TEST_P(EfficientnetTest, GivesTheFeaturesThatTorchGives) {
  const test::ReferenceTensors reference(kFile);
  TensorTable tensors(SafetensorsFolder::of_file(kFile));
  const auto tower =
      make_vision_tower(test::small_efficientnet(), tensors, test::compute(GetParam()));
  const at::Tensor features = (*tower)(reference["pixels"]);
  EXPECT_EQ(features.sizes(), reference["features"].sizes());
  EXPECT_LE(test::largest_difference(features, reference["features"]), 1e-4);
}

TEST_P(EfficientnetTest, GivesTheMeanOfAllPlacesBehindThemWhereConfigured) {
  const test::ReferenceTensors reference(kFile);
  TensorTable tensors(SafetensorsFolder::of_file(kFile));
  ModelConfig config = test::small_efficientnet();
  config.vision.with_mean = true;
  const auto tower = make_vision_tower(config, tensors, test::compute(GetParam()));
  const at::Tensor expected =
      at::cat({reference["features"], reference["features"].mean(1, /*keepdim=*/true)}, 1);
  const at::Tensor features = (*tower)(reference["pixels"]);
  EXPECT_EQ(features.sizes(), expected.sizes());
  EXPECT_LE(test::largest_difference(features, expected), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Backends, EfficientnetTest,
                         ::testing::Values(nn::Backend::Kernels, nn::Backend::Aten),
                         [](const auto& one) {
                           return one.param == nn::Backend::Kernels ? "Kernels" : "Aten";
                         });

TEST(Efficientnet, GivesAnImageTheSameBitsInAnyBatchAndWithAnyThreads) {
  const test::ReferenceTensors reference(kFile);
  TensorTable tensors(SafetensorsFolder::of_file(kFile));
  const auto two = make_vision_tower(test::small_efficientnet(), tensors,
                                     test::compute(nn::Backend::Kernels, 2));
  TensorTable again(SafetensorsFolder::of_file(kFile));
  const auto one =
      make_vision_tower(test::small_efficientnet(), again, test::compute(nn::Backend::Kernels, 1));
  const at::Tensor pixels = reference["pixels"].repeat({3, 1, 1, 1});  // more than go together
  const at::Tensor together = (*two)(pixels);
  ASSERT_EQ(together.size(0), 9);
  for (std::int64_t image = 0; image < 9; ++image) {
    EXPECT_TRUE(at::equal((*one)(pixels.narrow(0, image, 1))[0], together[image]));
  }
}

}  // namespace
}  // namespace aitqe
