#include "aitqe/model/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using aitqe::test::message_of;
using aitqe::test::reference_dir;
using aitqe::test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kReleased = R"({
  "model_type": "mm", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
  "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "rms_norm_eps": 1e-6,
  "rope_theta": 1000000.0, "max_position_embeddings": 131072, "tie_word_embeddings": false,
  "vision_model_name_or_path": "google/siglip-so400m-patch14-384", "image_tile_tokens": 729,
  "visual_hidden_dim": 1152, "eos_token_id": 151643, "pad_token_index": 151643})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(ModelConfig, ReadsTheReleasedShapesWithTheBuiltInTower) {
  const TemporaryFolder folder;
  folder.write("config.json", kReleased);
  const ModelConfig config = load_model_config(folder.path());
  EXPECT_EQ(config.text.head_dim, 128);
  EXPECT_EQ(config.vision.hidden_size, 1152);
  EXPECT_EQ(config.image.side_px, 384);
  EXPECT_EQ(config.num_image_tokens, 729);
  EXPECT_FALSE(config.drop_first_vision_token);
  EXPECT_THAT(config.eos_ids, ElementsAre(151643));
}

TEST(ModelConfig, ReadsTheTowerBesideTheCheckpointAndTheEndTokens) {
  const ModelConfig config = load_model_config(reference_dir() / "grouped-bf16-sharded");
  EXPECT_EQ(config.image.side_px, 56);
  EXPECT_EQ(config.num_image_tokens, 16);
  EXPECT_EQ(config.text.num_kv_heads, 3);
  EXPECT_EQ(config.eos_ids.size(), 2U);  // generation_config.json lists two
  EXPECT_TRUE(load_model_config(reference_dir() / "drop-first-mixed").drop_first_vision_token);
}

TEST(ModelConfig, CountsTheMeanOfAnEfficientnetAsOneMoreImageToken) {
  const TemporaryFolder folder;
  folder.write("tower/config.json", R"({"model_type": "efficientnet_lite", "image_size": 64,
    "hidden_size": 1152, "stem_channels": 8, "stages": [[1, 3, 2, 8, 1], [6, 5, 4, 8, 2]],
    "with_mean": true})");
  const std::string config = replaced(kReleased, "google/siglip-so400m-patch14-384", "tower");
  folder.write("config.json",
               replaced(config, "\"image_tile_tokens\": 729", "\"image_tile_tokens\": 17"));
  EXPECT_EQ(load_model_config(folder.path()).num_image_tokens, 17);  // 4 x 4 places
  folder.write("config.json",
               replaced(config, "\"image_tile_tokens\": 729", "\"image_tile_tokens\": 16"));
  EXPECT_THAT(message_of([&] { load_model_config(folder.path()); }),
              AllOf(HasSubstr("found 16"), HasSubstr("expected 17")));
}

TEST(ModelConfig, TakesTheReferencesDefaultsForWhatIsMissing) {
  const TemporaryFolder folder;
  folder.write("config.json", replaced(replaced(replaced(kReleased, "\"rms_norm_eps\": 1e-6,", ""),
                                                "\"rope_theta\": 1000000.0,", ""),
                                       "\"eos_token_id\": 151643,", ""));
  const ModelConfig config = load_model_config(folder.path());
  EXPECT_EQ(config.text.rms_norm_eps, 1e-5);
  EXPECT_EQ(config.text.rope_theta, 10000.0);
  EXPECT_THAT(config.eos_ids, ElementsAre(2));
}

TEST(ModelConfig, SaysWhichKeyDoesNotFit) {
  const auto message_with = [](const std::string& from, const std::string& to) {
    const TemporaryFolder folder;
    folder.write("config.json", replaced(kReleased, from, to));
    return message_of([&] { load_model_config(folder.path()); });
  };
  EXPECT_THAT(message_with("\"hidden_size\": 3584", "\"hidden_size\": -1"),
              AllOf(HasSubstr("config.json"), HasSubstr("\"hidden_size\""), HasSubstr("found -1")));
  EXPECT_THAT(message_with("\"vocab_size\": 152064", "\"vocab_size\": 99999999999"),
              HasSubstr("vocab_size"));
  EXPECT_THAT(message_with("\"image_tile_tokens\": 729", "\"image_tile_tokens\": 728"),
              AllOf(HasSubstr("found 728"), HasSubstr("expected 729")));
  EXPECT_THAT(message_with("siglip-so400m-patch14-384", "siglip-unknown"),
              AllOf(HasSubstr("siglip-unknown"), HasSubstr("--vision-model")));
  EXPECT_THAT(message_with("\"num_key_value_heads\": 4", "\"num_key_value_heads\": 3"),
              HasSubstr("divisor"));
  EXPECT_THAT(message_with("\"model_type\": \"mm\"", "\"model_type\": \"llava\""),
              HasSubstr("llava"));
}

TEST(ModelConfig, RefusesFilesThatAreNotThereOrNotJson) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of([&] { load_model_config(folder.path() / "nowhere"); }),
              HasSubstr("no such model folder"));
  EXPECT_THAT(message_of([&] { load_model_config(folder.path()); }), HasSubstr("cannot be opened"));
  folder.write("config.json", "[1, 2");
  EXPECT_THAT(message_of([&] { load_model_config(folder.path()); }),
              HasSubstr("not a JSON object"));
}

}  // namespace
}  // namespace aitqe
