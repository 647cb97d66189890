#include "aitqe/model/config.h"

#include <algorithm>
#include <vector>

#include "aitqe/base/error.h"
#include "config_json.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// The towers Google published, from their config.json files.
struct VisionPreset {
  const char* name;
  VisionConfig config;
};

const std::vector<VisionPreset>& vision_presets() {
  static const std::vector<VisionPreset> presets = [] {
    const auto base = [](std::int64_t side) { return VisionConfig{.image_size = side}; };
    const auto large = [](std::int64_t side) {
      return VisionConfig{1024, 4096, 24, 16, side, 16, 1e-6, "gelu_pytorch_tanh"};
    };
    const auto so400m = [](std::int64_t side) {
      return VisionConfig{1152, 4304, 27, 16, side, 14, 1e-6, "gelu_pytorch_tanh"};
    };
    return std::vector<VisionPreset>{
        {"siglip-so400m-patch14-384", so400m(384)}, {"siglip-so400m-patch14-224", so400m(224)},
        {"siglip-base-patch16-224", base(224)},     {"siglip-base-patch16-256", base(256)},
        {"siglip-base-patch16-384", base(384)},     {"siglip-base-patch16-512", base(512)},
        {"siglip-large-patch16-256", large(256)},   {"siglip-large-patch16-384", large(384)},
    };
  }();
  return presets;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return c < 128 ? static_cast<char>(std::tolower(c)) : c; });
  return text;
}

TextConfig read_text_config(const ConfigJson& json) {
  TextConfig text;
  text.hidden_size = json.required_count("hidden_size");
  text.intermediate_size = json.required_count("intermediate_size");
  text.num_layers = json.required_count("num_hidden_layers");
  text.num_heads = json.required_count("num_attention_heads");
  text.num_kv_heads = json.count("num_key_value_heads", text.num_heads);
  text.vocab_size = json.required_count("vocab_size");
  text.rms_norm_eps = json.number("rms_norm_eps", text.rms_norm_eps);
  text.rope_theta = json.number("rope_theta", text.rope_theta);
  if (json.has("rope_parameters")) {  // how transformers 5 writes it
    text.rope_theta = json.object("rope_parameters").number("rope_theta", text.rope_theta);
  }
  text.tie_word_embeddings = json.flag("tie_word_embeddings", text.tie_word_embeddings);
  text.max_position_embeddings =
      json.count("max_position_embeddings", text.max_position_embeddings);
  if (text.num_heads % text.num_kv_heads != 0) {
    json.fail("num_key_value_heads", "a divisor of num_attention_heads");
  }
  text.head_dim = json.count("head_dim", text.hidden_size / text.num_heads);
  if (!json.has("head_dim") && text.hidden_size % text.num_heads != 0) {
    json.fail("num_attention_heads", "a divisor of hidden_size");
  }
  if (text.head_dim % 2 != 0) json.fail("num_attention_heads", "an even head size");
  if (json.has("rope_scaling"))
    json.fail("rope_scaling", "null: scaled rotary positions are not supported");
  const std::string act = json.text("hidden_act", "silu");
  if (act != "silu") json.fail("hidden_act", "\"silu\"");
  return text;
}

VisionConfig read_efficientnet_config(const ConfigJson& json) {
  VisionConfig vision;
  vision.family = VisionFamily::EfficientnetLite;
  vision.image_size = json.required_count("image_size");
  vision.hidden_size = json.required_count("hidden_size");
  vision.stem_channels = json.required_count("stem_channels");
  vision.with_mean = json.flag("with_mean", false);
  constexpr const char* kStages = "stages";
  constexpr const char* kExpected =
      "a list of [expansion, kernel, stride, channels, repeats], each at least 1";
  if (!json.has(kStages) || !json.json().at(kStages).is_array()) json.fail(kStages, kExpected);
  vision.patch_size = 2;  // of the stem
  for (const nlohmann::json& row : json.json().at(kStages)) {
    const bool is_stage = row.is_array() && row.size() == 5 &&
                          std::all_of(row.begin(), row.end(), [](const nlohmann::json& value) {
                            return value.is_number_integer() && value >= 1 && value <= 4096;
                          });
    if (!is_stage) json.fail(kStages, kExpected);
    vision.stages.push_back({row[0], row[1], row[2], row[3], row[4]});
    vision.patch_size *= vision.stages.back().stride;
  }
  if (vision.stages.empty()) json.fail(kStages, kExpected);
  if (vision.image_size % vision.patch_size != 0) {
    json.fail("image_size", "a multiple of " + std::to_string(vision.patch_size));
  }
  return vision;
}

VisionConfig read_vision_config(const fs::path& path) {
  ConfigJson json = ConfigJson::read(path);
  if (json.has("vision_config")) json = json.object("vision_config");
  VisionConfig vision;
  if (json.text("model_type", "") == "efficientnet_lite") return read_efficientnet_config(json);
  vision.hidden_size = json.count("hidden_size", vision.hidden_size);
  vision.intermediate_size = json.count("intermediate_size", vision.intermediate_size);
  vision.num_layers = json.count("num_hidden_layers", vision.num_layers);
  vision.num_heads = json.count("num_attention_heads", vision.num_heads);
  vision.image_size = json.count("image_size", vision.image_size);
  vision.patch_size = json.count("patch_size", vision.patch_size);
  vision.layer_norm_eps = json.number("layer_norm_eps", vision.layer_norm_eps);
  vision.hidden_act = json.text("hidden_act", vision.hidden_act);
  if (vision.hidden_size % vision.num_heads != 0) {
    json.fail("num_attention_heads", "a divisor of hidden_size");
  }
  if (vision.hidden_act != "gelu_pytorch_tanh" && vision.hidden_act != "gelu") {
    json.fail("hidden_act", "\"gelu_pytorch_tanh\" or \"gelu\"");
  }
  if (json.count("num_channels", 3) != 3) json.fail("num_channels", "3");
  if (vision.patch_size > vision.image_size) json.fail("patch_size", "at most image_size");
  return vision;
}

std::array<float, 3> read_channels(const ConfigJson& json, const char* key,
                                   std::array<float, 3> fallback) {
  if (!json.has(key)) return fallback;
  const nlohmann::json& list = json.json().at(key);
  if (!list.is_array() || list.size() != 3) json.fail(key, "three numbers");
  for (std::size_t i = 0; i < 3; ++i) {
    if (!list[i].is_number()) json.fail(key, "three numbers");
    fallback[i] = list[i].get<float>();
  }
  return fallback;
}

ImageConfig read_image_config(const fs::path& path, std::int64_t image_size) {
  ImageConfig image;
  image.side_px = image_size;
  if (!fs::exists(path)) return image;
  const ConfigJson json = ConfigJson::read(path);
  if (json.has("size") && json.json().at("size").is_object()) {
    const ConfigJson size = json.object("size");
    const std::int64_t height = size.count("height", image_size);
    if (height != size.count("width", height)) size.fail("width", "the same as height");
    image.side_px = height;
  } else if (json.has("size")) {
    image.side_px = json.count("size", image_size);
  }
  if (image.side_px != image_size) {
    json.fail("size", "the tower's image_size, " + std::to_string(image_size));
  }
  constexpr std::int64_t kBicubic = 3;  // PIL.Image.Resampling.BICUBIC
  if (json.count("resample", kBicubic) != kBicubic) json.fail("resample", "3 (bicubic)");
  if (!json.flag("do_normalize", true) || !json.flag("do_rescale", true) ||
      !json.flag("do_resize", true)) {
    throw Error(ErrorCategory::Model,
                json.where() + ": do_resize, do_rescale and do_normalize must be true");
  }
  image.mean = read_channels(json, "image_mean", image.mean);
  image.std = read_channels(json, "image_std", image.std);
  for (const float channel_std : image.std) {
    if (!(channel_std > 0)) json.fail("image_std", "numbers above 0");
  }
  image.rescale_factor = json.number("rescale_factor", image.rescale_factor);
  return image;
}

void find_vision_config(const fs::path& folder, const std::optional<fs::path>& vision_folder,
                        ModelConfig& config) {
  std::vector<fs::path> places;
  const std::string last = fs::path(config.vision_name).filename().string();
  if (vision_folder) {
    places = {*vision_folder};
  } else if (!last.empty() && last != "." && last != "..") {
    places = {folder / last, folder / ".." / last, folder / config.vision_name, config.vision_name};
  }
  for (const fs::path& place : places) {
    if (!fs::exists(place / "config.json")) continue;
    config.vision = read_vision_config(place / "config.json");
    config.image = read_image_config(place / "preprocessor_config.json", config.vision.image_size);
    config.vision_config_origin = place.lexically_normal().string();
    return;
  }
  for (const VisionPreset& preset : vision_presets()) {
    if (vision_folder || preset.name != last) continue;
    config.vision = preset.config;
    config.image.side_px = preset.config.image_size;
    config.vision_config_origin = "built-in preset " + last;
    return;
  }
  std::string message = (folder / "config.json").string() + ": vision_model_name_or_path \"" +
                        config.vision_name + "\": no config.json in";
  for (const fs::path& place : places) message += " " + place.string() + ",";
  message.back() = ' ';
  throw Error(ErrorCategory::Model,
              message + "and no built-in tower of that name (--vision-model FOLDER)");
}

}  // namespace

ModelConfig load_model_config(const fs::path& folder,
                              const std::optional<fs::path>& vision_folder) {
  if (!fs::is_directory(folder)) {
    throw Error(ErrorCategory::Model, folder.string() + ": no such model folder (--model)");
  }
  const ConfigJson json = ConfigJson::read(folder / "config.json");
  ModelConfig config;
  const std::string type = json.text("model_type", "mm");
  if (type != "mm") json.fail("model_type", "\"mm\"");
  if (json.text("mm_projector_type", "mlp") != "mlp") json.fail("mm_projector_type", "\"mlp\"");
  if (json.text("image_aspect_ratio", "square") != "square")
    json.fail("image_aspect_ratio", "\"square\"");
  config.text = read_text_config(json);
  config.vision_name = json.text("vision_model_name_or_path", "");
  find_vision_config(folder, vision_folder, config);
  config.drop_first_vision_token = config.vision.family == VisionFamily::Siglip &&
                                   lower(config.vision_name).find("siglip") == std::string::npos;
  const std::int64_t grid = config.vision.grid_side();
  const std::int64_t tokens =
      grid * grid - (config.drop_first_vision_token ? 1 : 0) + (config.vision.with_mean ? 1 : 0);
  config.num_image_tokens = json.count("image_tile_tokens", tokens);
  if (config.num_image_tokens != tokens) {
    json.fail("image_tile_tokens", std::to_string(tokens) + ", what the vision tower gives (" +
                                       config.vision_config_origin + ")");
  }
  config.visual_hidden_dim = json.count("visual_hidden_dim", config.vision.hidden_size);
  if (config.visual_hidden_dim != config.vision.hidden_size) {
    json.fail("visual_hidden_dim", std::to_string(config.vision.hidden_size) +
                                       ", the vision tower's hidden_size (" +
                                       config.vision_config_origin + ")");
  }
  config.projector_hidden_size = json.count("mm_projector_hidden_size", config.text.hidden_size);
  config.pad_token_index = json.token_id("pad_token_index");
  config.image_token_index = json.token_id("image_token_index");
  config.eos_ids = json.token_ids("eos_token_id", config.eos_ids);
  if (fs::exists(folder / "generation_config.json")) {
    config.eos_ids = ConfigJson::read(folder / "generation_config.json")
                         .token_ids("eos_token_id", config.eos_ids);
  }
  return config;
}

}  // namespace aitqe
