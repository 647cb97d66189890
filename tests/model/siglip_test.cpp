#include <gtest/gtest.h>
#include <zlib.h>

#include <map>
#include <nlohmann/json.hpp>

#include "aitqe/data/webdataset.h"
#include "aitqe/image/pixels.h"
#include "aitqe/model/mllm.h"
#include "support/load_mllm.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::load_mllm;
using aitqe::test::reference_dir;
using aitqe::test::ReferenceTensors;
using aitqe::test::source_dir;

/// Pictures whose features are stored in full (scripts/make_reference.py, FEATURE_KEYS).
constexpr const char* kKeys[] = {"000000",
                                 "000001",
                                 "000002",
                                 "image-jpeg-cmyk",
                                 "image-size-4000x30",
                                 "image-webp-alpha-lossy"};
constexpr float kTolerance = 1e-4F;

at::Tensor read_pixels(const std::string& key, const ModelConfig& config) {
  for (const char* shard : {"examples/pairs-00000.tar", "tests/data/parity/hard-00000.tar"}) {
    const auto source = FileSource::open((source_dir() / shard).string());
    LossLog losses;
    TarReader members(*source, losses);
    SampleReader samples(members);
    while (const auto sample = samples.next()) {
      if (sample->key != key) continue;
      const Pixels pixels =
          prepare_image(find_image(*sample)->bytes, static_cast<int>(config.image.side_px),
                        {config.image.rescale_factor, config.image.mean, config.image.std}, {})
              .pixels;
      return at::tensor(pixels.chw).view({1, 3, pixels.side_px, pixels.side_px});
    }
  }
  ADD_FAILURE() << "no sample " << key;
  return {};
}

class FeaturesOf : public ::testing::TestWithParam<const char*> {};

TEST_P(FeaturesOf, EqualTheReferenceOnBothBackends) {
  const std::string name = GetParam();
  const auto folder = name == "tiny" ? source_dir() / "models/aitqe-tiny" : reference_dir() / name;
  const ReferenceTensors reference(reference_dir() / name / "features.safetensors");
  for (const nn::Backend backend : {nn::Backend::Kernels, nn::Backend::Aten, nn::Backend::Fused}) {
    const auto model = load_mllm(folder, *compute(backend));
    for (const char* key : kKeys) {
      const at::Tensor pixels = read_pixels(key, model->config());
      const at::Tensor features = model->vision_tower()(pixels)[0];
      EXPECT_LT(largest_difference(features, reference[std::string(key) + ".vision"]), kTolerance)
          << key;
      EXPECT_LT(largest_difference(model->encode_images(pixels)[0],
                                   reference[std::string(key) + ".projector"]),
                kTolerance)
          << key;
    }
  }
}

TEST_P(FeaturesOf, InBf16AreNearTheReferenceAndTheSameInABatch) {
  const std::string name = GetParam();
  const auto folder = name == "tiny" ? source_dir() / "models/aitqe-tiny" : reference_dir() / name;
  const ReferenceTensors reference(reference_dir() / name / "features.safetensors");
  const auto model = load_mllm(folder, *compute(nn::Backend::Kernels, 3, at::kBFloat16));
  std::vector<at::Tensor> pixels;
  for (const char* key : kKeys) pixels.push_back(read_pixels(key, model->config()));
  const at::Tensor together = model->vision_tower()(at::cat(pixels));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const at::Tensor features = model->vision_tower()(pixels[i])[0];
    EXPECT_TRUE(at::equal(features, together[static_cast<std::int64_t>(i)])) << kKeys[i];
    const at::Tensor& exact = reference[std::string(kKeys[i]) + ".vision"];
    const float error = ((features - exact).norm() / exact.norm()).item<float>();
    EXPECT_LT(error, 0.03F) << kKeys[i];
    EXPECT_GT(error, 1e-5F) << "so it is bf16";
  }
}

/// What the reference saw at 16 places of the features of every picture: SHARD/KEY -> values.
std::map<std::string, std::vector<float>> read_probes(const std::string& name) {
  std::map<std::string, std::vector<float>> probes;
  const std::string path = (reference_dir() / name / "oracle.jsonl.gz").string();
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), &gzclose);
  std::string line;
  std::vector<char> piece(std::size_t{1} << 16);
  while (gzgets(file.get(), piece.data(), static_cast<int>(piece.size())) != nullptr) {
    line += piece.data();
    if (!line.ends_with('\n')) continue;
    const nlohmann::json row = nlohmann::json::parse(line);
    line.clear();
    if (!row.contains("features_probe")) continue;
    probes[row.at("shard").get<std::string>() + "/" + row.at("key").get<std::string>()] =
        row.at("features_probe").get<std::vector<float>>();
  }
  return probes;
}

TEST_P(FeaturesOf, EqualTheReferenceForEveryPicture) {
  const std::string name = GetParam();
  const auto folder = name == "tiny" ? source_dir() / "models/aitqe-tiny" : reference_dir() / name;
  const auto model = load_mllm(folder, *compute(nn::Backend::Kernels));
  const ImageConfig& image = model->config().image;
  const auto probes = read_probes(name);
  std::size_t compared = 0;
  for (const std::filesystem::path shard :
       {"examples/pairs-00000.tar", "tests/data/parity/hard-00000.tar"}) {
    const auto source = FileSource::open((source_dir() / shard).string());
    LossLog losses;
    TarReader members(*source, losses);
    SampleReader samples(members);
    while (const auto sample = samples.next()) {
      const auto expected = probes.find(shard.filename().string() + "/" + sample->key);
      if (expected == probes.end()) continue;  // no picture that anybody could read
      const Pixels pixels =
          prepare_image(find_image(*sample)->bytes, static_cast<int>(image.side_px),
                        {image.rescale_factor, image.mean, image.std}, {})
              .pixels;
      const at::Tensor features =
          model->vision_tower()(at::tensor(pixels.chw).view({1, 3, pixels.side_px, pixels.side_px}))
              .flatten();
      const std::int64_t step = features.numel() / std::ssize(expected->second);
      for (std::size_t i = 0; i < expected->second.size(); ++i) {
        const float value = features[static_cast<std::int64_t>(i) * step].item<float>();
        ASSERT_NEAR(value, expected->second[i],
                    kTolerance * std::max(1.0F, std::abs(expected->second[i])))
            << expected->first;
      }
      ++compared;
    }
  }
  EXPECT_EQ(compared, probes.size());
  EXPECT_GE(compared, 300U);
}

TEST_P(FeaturesOf, AreTheSameBitsAloneAndInABatch) {
  const std::string name = GetParam();
  const auto folder = name == "tiny" ? source_dir() / "models/aitqe-tiny" : reference_dir() / name;
  const auto model = load_mllm(folder, *compute(nn::Backend::Kernels, 2));
  const auto alone = load_mllm(folder, *compute(nn::Backend::Kernels, 1));
  std::vector<at::Tensor> pixels;
  for (const char* key : kKeys) pixels.push_back(read_pixels(key, model->config()));
  const at::Tensor together = model->encode_images(at::cat(pixels));
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    EXPECT_TRUE(
        at::equal(alone->encode_images(pixels[i])[0], together[static_cast<std::int64_t>(i)]));
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, FeaturesOf,
                         ::testing::Values("grouped-bf16-sharded", "tied-f32-single",
                                           "drop-first-mixed", "tiny"));

}  // namespace
}  // namespace aitqe
