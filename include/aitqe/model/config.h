#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aitqe {

/// The Qwen2 part of config.json. Defaults are those of the reference's MMConfig.
struct TextConfig {
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t num_layers = 0;
  std::int64_t num_heads = 0;
  std::int64_t num_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab_size = 0;
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000.0;
  bool tie_word_embeddings = false;
  /// Told to other programs; ours has no such limit.
  std::int64_t max_position_embeddings = 32768;
};

/// Which kind of tower a folder holds: `model_type` of the vision tower's config.json.
enum class VisionFamily {
  Siglip,           ///< anything but the next
  EfficientnetLite  ///< "efficientnet_lite" (arXiv 1905.11946, the Lite variants: ReLU6, no gates)
};

/// Blocks of one stage of an EfficientNet; the first of them has the stride.
struct ConvStage {
  std::int64_t expansion = 6;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  std::int64_t channels = 0;
  std::int64_t repeats = 1;
};

/// The vision tower's config.json (SiglipVisionConfig; defaults are transformers').
struct VisionConfig {
  std::int64_t hidden_size = 768;
  std::int64_t intermediate_size = 3072;
  std::int64_t num_layers = 12;
  std::int64_t num_heads = 12;
  std::int64_t image_size = 224;
  std::int64_t patch_size = 16;
  double layer_norm_eps = 1e-6;
  std::string hidden_act = "gelu_pytorch_tanh";
  VisionFamily family = VisionFamily::Siglip;
  // EfficientnetLite only; hidden_size is then the channels of its head, and patch_size the pixels
  // between two features.
  std::int64_t stem_channels = 32;
  std::vector<ConvStage> stages = {};
  /// Behind the features of all places comes their mean, what the tower's classifier saw.
  bool with_mean = false;

  std::int64_t grid_side() const { return image_size / patch_size; }
};

/// preprocessor_config.json: how an image becomes [3, side, side].
struct ImageConfig {
  std::int64_t side_px = 0;
  std::array<float, 3> mean = {0.5F, 0.5F, 0.5F};
  std::array<float, 3> std = {0.5F, 0.5F, 0.5F};
  double rescale_factor = 0.00392156862745098;
};

/// A model folder in the reference's format. Everything is read, nothing assumed; see DESIGN §2.
struct ModelConfig {
  TextConfig text;
  VisionConfig vision;
  ImageConfig image;
  /// Where the vision configuration was found, for messages and `inspect`.
  std::string vision_config_origin;
  std::string vision_name;  ///< vision_model_name_or_path
  /// The reference keeps the tower's first token only where its name holds "siglip", in any case.
  bool drop_first_vision_token = false;
  std::int64_t num_image_tokens = 0;  ///< image_tile_tokens
  std::int64_t visual_hidden_dim = 0;
  /// Between the projector's two layers; `mm_projector_hidden_size`, or the text's hidden_size as
  /// in the released model.
  std::int64_t projector_hidden_size = 0;
  /// Any of these ends an answer: generation_config.json first, then config.json, then 2.
  std::vector<std::int32_t> eos_ids = {2};
  std::optional<std::int32_t> pad_token_index;
  std::optional<std::int32_t> image_token_index;
};

/// Reads config.json, generation_config.json and the vision tower's two files.
/// The vision files are looked for in: `vision_folder` when given; `FOLDER/LAST`, `FOLDER/../LAST`
/// where LAST is the last part of vision_model_name_or_path; that path, relative to FOLDER and then
/// as it stands; then the built-in presets of the published SigLIP towers, by name.
/// @throws Error(Model) naming file, key, what was found and what was expected.
ModelConfig load_model_config(const std::filesystem::path& folder,
                              const std::optional<std::filesystem::path>& vision_folder = {});

}  // namespace aitqe
