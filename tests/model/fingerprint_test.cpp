#include "aitqe/model/fingerprint.h"

#include <gtest/gtest.h>

#include <fstream>

#include "aitqe/io/safetensors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using test::reference_dir;
using test::TemporaryFolder;

TEST(ModelFingerprint, ChangesWithAnyFileOfTheModel) {
  const TemporaryFolder copy;
  fs::copy(reference_dir() / "drop-first-mixed", copy.path(), fs::copy_options::recursive);
  const std::string before = model_fingerprint(copy.path());
  EXPECT_EQ(before, model_fingerprint(reference_dir() / "drop-first-mixed"));
  copy.write("merges.txt", "#version: 0.2\n");
  EXPECT_NE(model_fingerprint(copy.path()), before);
}

TEST(ModelFingerprint, ChangesWithTheFilesOfTheVisionTowerWhereverTheyAre) {
  const TemporaryFolder tower;
  tower.write("config.json", "{}");
  tower.write("preprocessor_config.json", "{\"image_mean\": [0.5]}");
  const fs::path model = reference_dir() / "drop-first-mixed";
  ModelConfig config;
  config.vision_config_origin = tower.path().string();
  const std::string before = model_fingerprint(model, config);
  EXPECT_EQ(model_fingerprint(model, config), before);
  EXPECT_NE(model_fingerprint(model), before);
  tower.write("preprocessor_config.json", "{\"image_mean\": [0.4]}");
  EXPECT_NE(model_fingerprint(model, config), before);
  config.vision_config_origin = "built-in preset siglip-so400m-patch14-384";
  const std::string preset = model_fingerprint(model, config);
  config.vision_config_origin = "built-in preset another";
  EXPECT_NE(model_fingerprint(model, config), preset);
}

// As after training a few matrices in the middle of the file.
TEST(ModelFingerprint, ChangesWithAnyTensor) {
  const TemporaryFolder copy;
  fs::copy(reference_dir() / "drop-first-mixed", copy.path(), fs::copy_options::recursive);
  const std::string before = model_fingerprint(copy.path());
  const fs::path weights = copy.path() / "model.safetensors";
  const auto tensors = SafetensorsFile::open(weights)->tensors();
  for (const auto& [name, info] : tensors) {
    std::fstream file(weights, std::ios::binary | std::ios::in | std::ios::out);
    for (const auto place : {info.offset_bytes, info.offset_bytes + info.num_bytes / 2}) {
      file.seekg(place);
      const int byte = file.get();
      file.seekp(place);
      file.put(static_cast<char>(byte ^ 1));
      file.flush();
      EXPECT_NE(model_fingerprint(copy.path()), before) << name << " at " << place;
      file.seekp(place);
      file.put(static_cast<char>(byte));
    }
  }
  EXPECT_EQ(model_fingerprint(copy.path()), before);
}

}  // namespace
}  // namespace aitqe
