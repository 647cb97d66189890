#include "aitqe/convert/llava.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/safetensors.h"
#include "aitqe/io/safetensors_writer.h"
#include "aitqe/io/sink.h"
#include "aitqe/model/config.h"
#include "aitqe/model/mllm.h"
#include "aitqe/text/tokenizer.h"
#include "aitqe/text/tokenizer_export.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kImageToken = "<image>";
constexpr const char* kLanguageHead = "model.lm_head.weight";
constexpr std::string_view kVision = "vision_model.vision_model.";

/// A model that can be written, and what its files say.
struct Source {
  ModelConfig config;
  SafetensorsFolder tensors;
  ExportedTokenizer tokenizer;

  bool is_tied() const {
    return config.text.tie_word_embeddings && !tensors.contains(kLanguageHead);
  }
  const char* select_strategy() const {
    return config.drop_first_vision_token ? "default" : "full";  // "default" drops the first token
  }
};

[[noreturn]] void refuse(const fs::path& model, const std::string& what) {
  throw Error(ErrorCategory::Model, model.string() + ": " + what);
}

Source read_source(const LlavaOptions& options) {
  const fs::path& model = options.model;
  ModelConfig config = load_model_config(model, options.vision_folder);
  if (config.vision.family != VisionFamily::Siglip) {
    refuse(model, "its vision tower is no SigLIP, the only one that the LLaVA layout has");
  }
  if (config.projector_hidden_size != config.text.hidden_size) {
    refuse(model, "mm_projector_hidden_size is " + std::to_string(config.projector_hidden_size) +
                      ", the LLaVA layout has hidden_size there, " +
                      std::to_string(config.text.hidden_size));
  }
  const std::vector<std::string> misfits = Mllm::misfits(model, config);
  if (!misfits.empty()) throw Error(ErrorCategory::Model, misfits.front());
  ExportedTokenizer tokenizer = export_tokenizer(model, kImageToken);
  if (tokenizer.id >= config.text.vocab_size) {
    refuse(model, "the tokenizer fills all " + std::to_string(config.text.vocab_size) +
                      " rows of the vocabulary: none is left for the image token");
  }
  return {std::move(config), SafetensorsFolder::open(model), std::move(tokenizer)};
}

// --- tensors
// --------------------------------------------------------------------------------------

/// "" for what the layout does not have.
std::string llava_name(const std::string& name, const Source& source) {
  const auto replaced = [&](std::string_view from, const char* to) {
    return to + name.substr(from.size());
  };
  if (name == kLanguageHead) return "language_model.lm_head.weight";
  if (name.starts_with("model.model.")) return replaced("model.", "language_model.");
  if (name.starts_with("mm_projector.0.")) {
    return replaced("mm_projector.0.", "multi_modal_projector.linear_1.");
  }
  if (name.starts_with("mm_projector.2.")) {
    return replaced("mm_projector.2.", "multi_modal_projector.linear_2.");
  }
  if (!name.starts_with(kVision)) return "";  // image_newline
  const std::string_view part = std::string_view(name).substr(kVision.size());
  const std::string last_layer =
      "encoder.layers." + std::to_string(source.config.vision.num_layers - 1) + ".";
  for (const std::string_view unused : {std::string_view(last_layer), std::string_view("head."),
                                        std::string_view("embeddings.position_ids")}) {
    if (part.starts_with(unused)) return "";
  }
  return replaced("vision_model.", "vision_tower.");
}

void write_weights(const Source& source, const fs::path& path) {
  std::vector<TensorToWrite> tensors;
  for (const std::string& name : source.tensors.names()) {
    const std::string to = llava_name(name, source);
    if (to.empty()) continue;
    const TensorInfo& info = source.tensors.info(name);
    tensors.push_back({to, info.dtype, info.shape, source.tensors.data(name)});
  }
  const std::int64_t rows = source.config.text.hidden_size;
  const TensorDtype dtype = source.tensors.info("mm_projector.2.weight").dtype;
  const std::vector<std::byte> zeros(static_cast<std::size_t>(rows * size_bytes(dtype)));
  tensors.push_back({"multi_modal_projector.linear_2.bias", dtype, {rows}, zeros});
  write_safetensors(path, tensors, {{"format", "pt"}});
}

// --- configuration
// --------------------------------------------------------------------------------

json text_config_json(const Source& source) {
  const TextConfig& text = source.config.text;
  return {{"model_type", "qwen2"},
          {"architectures", {"Qwen2ForCausalLM"}},
          {"hidden_act", "silu"},
          {"hidden_size", text.hidden_size},
          {"intermediate_size", text.intermediate_size},
          {"num_hidden_layers", text.num_layers},
          {"num_attention_heads", text.num_heads},
          {"num_key_value_heads", text.num_kv_heads},
          {"head_dim", text.head_dim},
          {"vocab_size", text.vocab_size},
          {"max_position_embeddings", text.max_position_embeddings},
          {"rms_norm_eps", text.rms_norm_eps},
          {"rope_theta", text.rope_theta},
          {"use_sliding_window", false},
          {"tie_word_embeddings", source.is_tied()},
          {"eos_token_id", source.config.eos_ids.front()}};
}

json vision_config_json(const VisionConfig& vision) {
  return {{"model_type", "siglip_vision_model"},
          {"hidden_act", vision.hidden_act},
          {"hidden_size", vision.hidden_size},
          {"intermediate_size", vision.intermediate_size},
          {"num_hidden_layers", vision.num_layers - 1},
          {"num_attention_heads", vision.num_heads},
          {"num_channels", 3},
          {"image_size", vision.image_size},
          {"patch_size", vision.patch_size},
          {"layer_norm_eps", vision.layer_norm_eps},
          {"attention_dropout", 0.0},
          {"vision_use_head", false}};
}

const char* dtype_name(TensorDtype dtype) {
  if (dtype == TensorDtype::F32) return "float32";
  return dtype == TensorDtype::F16 ? "float16" : "bfloat16";
}

json config_json(const Source& source) {
  return {{"model_type", "llava"},
          {"architectures", {"LlavaForConditionalGeneration"}},
          {"torch_dtype", dtype_name(source.tensors.info("mm_projector.2.weight").dtype)},
          {"image_token_index", source.tokenizer.id},
          {"image_seq_length", source.config.num_image_tokens},
          {"projector_hidden_act", "gelu"},
          {"multimodal_projector_bias", true},
          {"vision_feature_layer", -1},
          {"vision_feature_select_strategy", source.select_strategy()},
          {"tie_word_embeddings", source.is_tied()},
          {"text_config", text_config_json(source)},
          {"vision_config", vision_config_json(source.config.vision)}};
}

std::int32_t pad_id(const ModelConfig& config) {
  return config.pad_token_index.value_or(config.eos_ids.front());
}

json generation_config_json(const ModelConfig& config) {
  return {{"do_sample", false}, {"eos_token_id", config.eos_ids}, {"pad_token_id", pad_id(config)}};
}

json preprocessor_config_json(const ModelConfig& config) {
  constexpr int kBicubic = 3;  // PIL.Image.Resampling.BICUBIC
  const ImageConfig& image = config.image;
  return {{"image_processor_type", "SiglipImageProcessor"},
          {"processor_class", "LlavaProcessor"},
          {"do_resize", true},
          {"size", {{"height", image.side_px}, {"width", image.side_px}}},
          {"resample", kBicubic},
          {"do_rescale", true},
          {"rescale_factor", image.rescale_factor},
          {"do_normalize", true},
          {"image_mean", image.mean},
          {"image_std", image.std}};
}

json processor_config_json(const Source& source) {
  return {{"processor_class", "LlavaProcessor"},
          {"image_token", kImageToken},
          {"patch_size", source.config.vision.patch_size},
          {"num_additional_image_tokens", 0},
          {"vision_feature_select_strategy", source.select_strategy()}};
}

json tokenizer_config_json(const Source& source) {
  const Tokenizer tokenizer = Tokenizer::load(source.tensors.folder());
  return {{"tokenizer_class", "PreTrainedTokenizerFast"},  // tokenizer.json as it stands
          {"processor_class", "LlavaProcessor"},
          {"clean_up_tokenization_spaces", false},
          {"model_max_length", source.config.text.max_position_embeddings},
          {"eos_token", tokenizer.token_bytes(source.config.eos_ids.front())},
          {"pad_token", tokenizer.token_bytes(pad_id(source.config))},
          {"image_token", kImageToken}};
}

void write_json(const fs::path& path, const json& value) {
  constexpr int kIndent = 2;
  write_atomically(path, value.dump(kIndent) + "\n");
}

}  // namespace

void export_llava(const LlavaOptions& options) {
  const Source source = read_source(options);
  const fs::path& folder = options.output_folder;
  require_writable_folder(folder);
  require_other_folder(options.model, folder);
  require_free_space(folder, source.tensors.total_bytes());
  fs::create_directories(folder);
  write_json(folder / "config.json", config_json(source));
  write_json(folder / "generation_config.json", generation_config_json(source.config));
  write_json(folder / "preprocessor_config.json", preprocessor_config_json(source.config));
  write_json(folder / "processor_config.json", processor_config_json(source));
  write_json(folder / "tokenizer_config.json", tokenizer_config_json(source));
  write_atomically(folder / "tokenizer.json", source.tokenizer.json);
  write_weights(source, folder / "model.safetensors");
}

}  // namespace aitqe
