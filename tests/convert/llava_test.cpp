#include "aitqe/convert/llava.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/io/safetensors.h"
#include "aitqe/text/tokenizer.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class LlavaTest : public ::testing::Test {
 protected:
  void write(const fs::path& model) const { export_llava({model, {}, folder_ / "llava"}); }
  std::string complaint(const fs::path& model) const {
    return test::message_of([&] { write(model); });
  }

  json read(const std::string& name) const {
    std::ifstream stream(folder_ / "llava" / name);
    return json::parse(stream);
  }

  /// A copy of a reference checkpoint whose `file` says something else.
  fs::path changed(const std::string& checkpoint, const std::string& file,
                   const json& changes) const {
    const fs::path copy = folder_ / "changed";
    fs::copy(test::reference_dir() / checkpoint, copy, fs::copy_options::recursive);
    std::ifstream stream(copy / file);
    json value = json::parse(stream);
    value.update(changes);
    std::ofstream(copy / file) << value;
    return copy;
  }

  test::TemporaryFolder folder_;
};

TEST_F(LlavaTest, KeepsEveryByteThatTheLayoutHasUnderItsNames) {
  const fs::path model = test::reference_dir() / "grouped-bf16-sharded";
  write(model);
  const auto source = SafetensorsFolder::open(model);
  const auto written = SafetensorsFolder::open(folder_ / "llava");
  for (const auto& [from, to] : std::map<std::string, std::string>{
           {"model.model.embed_tokens.weight", "language_model.model.embed_tokens.weight"},
           {"model.model.layers.2.self_attn.k_proj.bias",
            "language_model.model.layers.2.self_attn.k_proj.bias"},
           {"model.lm_head.weight", "language_model.lm_head.weight"},
           {"mm_projector.0.bias", "multi_modal_projector.linear_1.bias"},
           {"mm_projector.2.weight", "multi_modal_projector.linear_2.weight"},
           {"vision_model.vision_model.embeddings.patch_embedding.weight",
            "vision_tower.vision_model.embeddings.patch_embedding.weight"},
           {"vision_model.vision_model.encoder.layers.0.mlp.fc1.weight",
            "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight"}}) {
    EXPECT_TRUE(std::ranges::equal(source.data(from), written.data(to))) << to;
    EXPECT_EQ(source.info(from).shape, written.info(to).shape) << to;
    EXPECT_EQ(source.info(from).dtype, written.info(to).dtype) << to;
  }
  const auto bias = written.data("multi_modal_projector.linear_2.bias");
  EXPECT_TRUE(std::ranges::all_of(bias, [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT_EQ(written.info("multi_modal_projector.linear_2.bias").shape,
            std::vector<std::int64_t>{96});
}

TEST_F(LlavaTest, LeavesOutTheLayerAndTheHeadThatAreNeverUsed) {
  write(test::reference_dir() / "grouped-bf16-sharded");
  const std::int64_t kept = read("config.json")["vision_config"]["num_hidden_layers"];
  const std::string layer = "vision_tower.vision_model.encoder.layers.";
  const auto written = SafetensorsFolder::open(folder_ / "llava");
  EXPECT_TRUE(written.contains(layer + std::to_string(kept - 1) + ".mlp.fc1.weight"));
  for (const std::string& name : written.names()) {
    EXPECT_FALSE(name.starts_with(layer + std::to_string(kept) + ".")) << name;
    EXPECT_FALSE(name.starts_with("vision_tower.vision_model.head.")) << name;
    EXPECT_NE(name, "image_newline");
  }
}

TEST_F(LlavaTest, SaysHowTheModelIsMade) {
  write(test::reference_dir() / "grouped-bf16-sharded");
  const json config = read("config.json");
  EXPECT_EQ(config["architectures"][0], "LlavaForConditionalGeneration");
  EXPECT_EQ(config["vision_feature_layer"], -1);
  EXPECT_EQ(config["vision_feature_select_strategy"], "full");
  EXPECT_EQ(config["image_seq_length"], 16);
  EXPECT_EQ(config["tie_word_embeddings"], false);
  EXPECT_EQ(config["vision_config"]["vision_use_head"], false);
  EXPECT_EQ(config["text_config"]["rope_theta"], 1e6);
  EXPECT_EQ(config["text_config"]["num_key_value_heads"], 3);
  EXPECT_EQ(read("generation_config.json")["eos_token_id"].size(), 2U);
  EXPECT_EQ(read("preprocessor_config.json")["size"]["height"], 56);
}

TEST_F(LlavaTest, TiesWhatIsTied) {
  write(test::source_dir() / "models/aitqe-tiny");
  EXPECT_EQ(read("config.json")["tie_word_embeddings"], true);
  EXPECT_FALSE(
      SafetensorsFolder::open(folder_ / "llava").contains("language_model.lm_head.weight"));
}

TEST_F(LlavaTest, LetsTheFirstTokenBeDroppedWhereTheReferenceDropsIt) {
  write(test::reference_dir() / "drop-first-mixed");
  EXPECT_EQ(read("config.json")["vision_feature_select_strategy"], "default");
  EXPECT_EQ(read("processor_config.json")["vision_feature_select_strategy"], "default");
}

TEST_F(LlavaTest, GivesTheImageAnIdOfItsOwn) {
  const fs::path model = test::reference_dir() / "grouped-bf16-sharded";
  write(model);
  const Tokenizer source = Tokenizer::load(model);
  const Tokenizer written = Tokenizer::load(folder_ / "llava");
  EXPECT_EQ(read("config.json")["image_token_index"], source.size());
  EXPECT_EQ(written.token_id("<image>"), source.size());
}

TEST_F(LlavaTest, RefusesATowerThatTheLayoutDoesNotHave) {
  EXPECT_THAT(complaint(test::source_dir() / "models/aitqe-small"), HasSubstr("is no SigLIP"));
  EXPECT_FALSE(fs::exists(folder_ / "llava"));
}

TEST_F(LlavaTest, RefusesAProjectorOfAnotherWidth) {
  EXPECT_THAT(
      complaint(changed("tied-f32-single", "config.json", {{"mm_projector_hidden_size", 64}})),
      AllOf(HasSubstr("mm_projector_hidden_size is 64"), HasSubstr("128")));
}

TEST_F(LlavaTest, RefusesAVocabularyWithoutARowForTheImage) {
  EXPECT_THAT(
      complaint(test::reference_dir() / "tied-f32-single"),
      AllOf(HasSubstr("fills all 559 rows"), HasSubstr("none is left for the image token")));
}

TEST_F(LlavaTest, RefusesAModelThatDoesNotFitItsConfiguration) {
  EXPECT_THAT(complaint(changed("tied-f32-single", "config.json", {{"num_hidden_layers", 3}})),
              HasSubstr("is missing"));
}

}  // namespace
}  // namespace aitqe
