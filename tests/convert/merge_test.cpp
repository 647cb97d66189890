#include "aitqe/convert/merge.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "aitqe/io/gguf.h"
#include "aitqe/io/safetensors_writer.h"
#include "support/errors.h"
#include "support/load_mllm.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kLayer = "model.model.layers.0.mlp.up_proj";

class MergeTest : public ::testing::Test {
 protected:
  MergeTest() {
    for (const auto& entry : fs::recursive_directory_iterator(base_)) {
      if (!entry.is_regular_file() || entry.path().extension() == ".safetensors") continue;
      const fs::path to = adapter_ / fs::relative(entry.path(), base_);
      fs::create_directories(to.parent_path());
      fs::copy_file(entry.path(), to);
    }
    const test::ReferenceTensors tensors(base_ / "model.safetensors");
    const at::Tensor weight = tensors[kLayer + ".weight"];
    a_ = at::ones({1, weight.size(1)}, at::kFloat);
    b_ = at::full({weight.size(0), 1}, 0.25F);
    projector_ = at::full_like(tensors["mm_projector.0.bias"], 0.5F);
    write(base_sha256(base_));
  }

  void write(const std::string& sha256) const {
    const auto bytes = [](const at::Tensor& tensor) {
      return std::span(static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes());
    };
    const auto one = [&](const std::string& name, const at::Tensor& tensor) {
      return TensorToWrite{name, TensorDtype::F32, tensor.sizes().vec(), bytes(tensor)};
    };
    write_safetensors(
        adapter_ / "adapter.safetensors",
        std::vector{one(kLayer + ".lora_A.weight", a_), one(kLayer + ".lora_B.weight", b_),
                    one("mm_projector.0.bias", projector_)});
    folder_.write("adapter/adapter.json", nlohmann::json{{"schema", "aitqe.adapter/1"},
                                                         {"base_sha256", sha256},
                                                         {"lora_scale", {{kLayer, 2.0}}}}
                                              .dump());
  }

  void merge() const { merge_adapter({adapter_, base_, folder_ / "merged"}); }

  test::TemporaryFolder folder_;
  fs::path base_ = test::reference_dir() / "tied-f32-single";
  fs::path adapter_ = folder_ / "adapter";
  at::Tensor a_;
  at::Tensor b_;
  at::Tensor projector_;
};

TEST_F(MergeTest, AddsLowRankFactorsAndReplacesWhatWasTrained) {
  merge();
  const auto merged = SafetensorsFile::open(folder_ / "merged/model.safetensors");
  const auto tensor = [&](const std::string& name) {
    return at::from_blob(const_cast<std::byte*>(merged->data(name).data()),
                         merged->tensors().at(name).shape, at::kBFloat16)
        .to(at::kFloat);
  };
  const test::ReferenceTensors base(base_ / "model.safetensors");
  const at::Tensor expected = base[kLayer + ".weight"].to(at::kBFloat16).to(at::kFloat) + 0.5;
  EXPECT_TRUE(at::equal(tensor(kLayer + ".weight"), expected.to(at::kBFloat16).to(at::kFloat)));
  EXPECT_TRUE(at::equal(tensor("mm_projector.0.bias"), projector_));
  EXPECT_FALSE(merged->tensors().contains(kLayer + ".lora_A.weight"));
  test::load_mllm(folder_ / "merged", *test::compute(nn::Backend::Kernels));
}

TEST_F(MergeTest, RefusesAnotherBase) {
  write("0123");
  EXPECT_THAT(test::message_of([&] { merge(); }), HasSubstr("stands on 0123"));
}

TEST_F(MergeTest, RefusesFactorsThatFitNoLayer) {
  a_ = at::ones({2, a_.size(1)}, at::kFloat);
  write(base_sha256(base_));
  EXPECT_THAT(test::message_of([&] { merge(); }), HasSubstr("do not fit a layer of the base"));
}

TEST_F(MergeTest, NamesWhatIsMissing) {
  fs::remove(adapter_ / "adapter.json");
  EXPECT_THAT(test::message_of([&] { merge(); }), HasSubstr("adapter.json: cannot be read"));
}

}  // namespace
}  // namespace aitqe
