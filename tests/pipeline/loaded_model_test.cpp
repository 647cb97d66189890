#include "aitqe/pipeline/loaded_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "aitqe/kernels/cpu_dispatch.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::reference_dir;
using aitqe::test::TemporaryFolder;
using ::testing::HasSubstr;

ModelOptions random_model_options() {
  ModelOptions options;
  options.folder = reference_dir() / "drop-first-mixed";
  return options;
}

TEST(LoadModel, TakesBf16WhereTheCpuHasIt) {
  const LoadedModel model = load_model(random_model_options());
  EXPECT_EQ(model.mllm().compute().dtype,
            kernels::cpu_kernels().has_native_bf16 ? at::kBFloat16 : at::kFloat);
  EXPECT_EQ(model.image_side_px, 50);
}

TEST(LoadModel, SaysWhatAnOptionShouldBe) {
  ModelOptions options = random_model_options();
  options.dtype = "f64";
  EXPECT_THAT(message_of([&] { load_model(options); }),
              HasSubstr("--dtype f64: expected auto, f32, bf16, int8 or fp8"));
  options = random_model_options();
  options.dtype = "fp8";
  EXPECT_THAT(message_of([&] { load_model(options); }),
              HasSubstr("--dtype fp8: needs --device cuda"));
  options.dtype = "auto";
  options.device = "gpu";
  EXPECT_THAT(message_of([&] { load_model(options); }), HasSubstr("--device gpu: expected"));
  options = random_model_options();
  options.packing = "some";
  EXPECT_THAT(message_of([&] { load_model(options); }), HasSubstr("--packing some: expected"));
}

TEST(LoadModel, LoadsTheWeightsOntoEveryDeviceOfAList) {
  ModelOptions options = random_model_options();
  options.device = "cpu,cpu";
  options.num_threads = 4;
  const LoadedModel model = load_model(options);
  ASSERT_EQ(model.replicas.size(), 2U);
  EXPECT_EQ(model.replicas[1]->compute().pool->num_threads(), 2);
  options.device = "cpu,gpu";
  EXPECT_THAT(message_of([&] { load_model(options); }), HasSubstr("--device gpu: expected"));
}

TEST(LoadModel, SaysWhenThereIsNoCudaDevice) {
  ModelOptions options = random_model_options();
  for (const std::string device : {"cuda:0", "cuda:all"}) {
    options.device = device;
    try {
      load_model(options);
      GTEST_SKIP() << "a CUDA device is there";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Model);
      EXPECT_THAT(error.what(), HasSubstr("--device cuda"));
    }
  }
}

}  // namespace
}  // namespace aitqe
