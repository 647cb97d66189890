#pragma once

#include <cstdint>

#include "aitqe/model/config.h"

namespace aitqe {

/// What one pair costs, by the shapes alone.
struct PairCost {
  std::int64_t vision_parameters = 0;  ///< that are used
  std::int64_t projector_parameters = 0;
  std::int64_t language_parameters = 0;
  double vision_gflop = 0;  ///< 2 a multiply-add, attention included
  double projector_gflop = 0;
  double prefill_gflop = 0;  ///< the prompt through the language model, logits at its last token
  double decode_gflop_per_token = 0;
  std::int64_t kv_bytes_per_token = 0;  ///< at 2 bytes a value
};

/// @param text_tokens  tokens of the prompt behind the image; 71 for the reference's prompt around
///                     a caption of some forty tokens
PairCost pair_cost(const ModelConfig& config, std::int64_t text_tokens);

}  // namespace aitqe
