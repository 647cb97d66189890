#pragma once

#include <ATen/ATen.h>

#include <string>

#include "aitqe/model/config.h"
#include "aitqe/train/parameters.h"
#include "aitqe/train/token_trees.h"

namespace aitqe {

/// `vision_model.vision_model.*` up to the layer before the last. @return [B, P, vision_dim]
at::Tensor siglip_features(const ModelConfig& config, const Parameters& parameters,
                           const at::Tensor& pixels);

/// `vision_model.*` of an EfficientNet-Lite. @return [B, P, vision_dim]
at::Tensor efficientnet_features(const VisionConfig& config, const Parameters& parameters,
                                 const at::Tensor& pixels);

/// `model.model.*`. @param hidden  [R, hidden] embeddings   @return [R, hidden], normalised
at::Tensor qwen2_hidden(const TextConfig& config, const Parameters& parameters, at::Tensor hidden,
                        const TokenTrees& trees);

}  // namespace aitqe
