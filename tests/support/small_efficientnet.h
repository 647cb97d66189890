#pragma once

#include "aitqe/model/config.h"

namespace aitqe::test {

/// The tower of tests/data/reference/efficientnet.safetensors: SMALL_STAGES of
/// scripts/make_efficientnet_reference.py, which drew it.
inline ModelConfig small_efficientnet() {
  ModelConfig config;
  config.vision.family = VisionFamily::EfficientnetLite;
  config.vision.stem_channels = 16;
  config.vision.hidden_size = 40;
  config.vision.image_size = 48;
  config.vision.stages = {{1, 3, 1, 8, 1}, {6, 3, 2, 12, 2}, {4, 5, 2, 16, 2}, {6, 5, 2, 24, 1}};
  return config;
}

}  // namespace aitqe::test
