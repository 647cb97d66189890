#include "aitqe/model/mllm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/errors.h"
#include "support/load_mllm.h"
#include "support/reference.h"
#include "support/temporary_folder.h"
#include "support/write_safetensors.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::compute;
using aitqe::test::load_mllm;
using aitqe::test::message_of;
using aitqe::test::reference_dir;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

TEST(Mllm, GivesOneFeatureAnImageToken) {
  const auto model =
      load_mllm(reference_dir() / "drop-first-mixed", *compute(nn::Backend::Kernels));
  const at::Tensor features = model->encode_images(at::zeros({2, 3, 50, 50}));
  EXPECT_EQ(features.sizes(), (at::IntArrayRef{2, model->config().num_image_tokens, 192}));
}

TEST(Mllm, SaysWhatIsMissingFromATruncatedCheckpoint) {
  const TemporaryFolder copy;
  const fs::path from = reference_dir() / "tied-f32-single";
  fs::copy(from, copy.path(), fs::copy_options::recursive);
  fs::resize_file(copy.path() / "model.safetensors", fs::file_size(from / "model.safetensors") - 1);
  EXPECT_THAT(message_of([&] { load_mllm(copy.path(), *compute(nn::Backend::Kernels)); }),
              HasSubstr("model.safetensors"));
  copy.write("model.safetensors",
             aitqe::test::safetensors_of_zeros({{"model.model.norm.weight", "F32", {128}}}));
  EXPECT_THAT(message_of([&] { load_mllm(copy.path(), *compute(nn::Backend::Kernels)); }),
              HasSubstr("is missing"));
}

TEST(Mllm, ReadsWeightsInPlaceWithTheSameBits) {
  nn::Compute in_place = *compute(nn::Backend::Kernels);
  in_place.packing = kernels::Packing::OnTheFly;
  const auto a = load_mllm(reference_dir() / "grouped-bf16-sharded", in_place);
  const auto b =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const at::Tensor pixels = at::linspace(-1, 1, 3 * 56 * 56).view({1, 3, 56, 56});
  EXPECT_TRUE(at::equal(a->encode_images(pixels), b->encode_images(pixels)));
}

}  // namespace
}  // namespace aitqe
