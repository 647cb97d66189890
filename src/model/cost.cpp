#include "aitqe/model/cost.h"

namespace aitqe {

namespace {

constexpr double kGiga = 1e9;

void add_siglip_cost(const VisionConfig& vision, PairCost& cost) {
  const std::int64_t grid = vision.grid_side();
  const auto patches = static_cast<double>(grid * grid);
  const std::int64_t vision_layers = vision.num_layers - 1;
  const std::int64_t vision_layer = 4 * vision.hidden_size * vision.hidden_size +
                                    2 * vision.hidden_size * vision.intermediate_size;
  const std::int64_t patch = 3 * vision.patch_size * vision.patch_size * vision.hidden_size;
  cost.vision_parameters = vision_layers * vision_layer + patch + grid * grid * vision.hidden_size;
  const double vision_attention =
      4 * patches * patches * static_cast<double>(vision.hidden_size * vision_layers);
  cost.vision_gflop =
      (2 * patches * static_cast<double>(vision_layers * vision_layer + patch) + vision_attention) /
      kGiga;
}

void add_efficientnet_cost(const VisionConfig& vision, PairCost& cost) {
  std::int64_t side = vision.image_size / 2;
  std::int64_t inputs = vision.stem_channels;
  const auto add = [&](std::int64_t parameters) {
    cost.vision_parameters += parameters;
    cost.vision_gflop +=
        2 * static_cast<double>(parameters) * static_cast<double>(side * side) / kGiga;
  };
  add(3 * 3 * 3 * inputs);
  for (const ConvStage& stage : vision.stages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i) {
      const std::int64_t middle = inputs * stage.expansion;
      if (stage.expansion != 1) add(inputs * middle);
      if (i == 0) side /= stage.stride;
      add(middle * stage.kernel * stage.kernel + middle * stage.channels);
      inputs = stage.channels;
    }
  }
  add(inputs * vision.hidden_size);
}

}  // namespace

PairCost pair_cost(const ModelConfig& config, std::int64_t text_tokens) {
  const VisionConfig& vision = config.vision;
  const TextConfig& text = config.text;
  PairCost cost;
  if (vision.family == VisionFamily::EfficientnetLite) {
    add_efficientnet_cost(vision, cost);
  } else {
    add_siglip_cost(vision, cost);
  }
  cost.projector_parameters =
      (vision.hidden_size + text.hidden_size) * config.projector_hidden_size;
  cost.projector_gflop = 2 * static_cast<double>(config.num_image_tokens) *
                         static_cast<double>(cost.projector_parameters) / kGiga;

  const std::int64_t query_width = text.num_heads * text.head_dim;
  const std::int64_t kv_width = text.num_kv_heads * text.head_dim;
  const std::int64_t layer = text.hidden_size * (2 * query_width + 2 * kv_width) +
                             3 * text.hidden_size * text.intermediate_size;
  const std::int64_t head = text.vocab_size * text.hidden_size;
  cost.language_parameters = text.num_layers * layer + (text.tie_word_embeddings ? 1 : 2) * head;
  const auto tokens = static_cast<double>(config.num_image_tokens + text_tokens);
  const double causal_attention =
      2 * tokens * tokens * static_cast<double>(query_width * text.num_layers);
  cost.prefill_gflop = (2 * tokens * static_cast<double>(text.num_layers * layer) +
                        causal_attention + 2 * static_cast<double>(head)) /
                       kGiga;
  cost.decode_gflop_per_token = 2 * static_cast<double>(text.num_layers * layer + head) / kGiga;
  cost.kv_bytes_per_token = 2 * 2 * text.num_layers * kv_width;
  return cost;
}

}  // namespace aitqe
