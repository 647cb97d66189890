#pragma once

#include <memory>
#include <vector>

#include "aitqe/model/config.h"
#include "aitqe/model/tensor_table.h"
#include "aitqe/nn/compute.h"

namespace aitqe {

/// Turns pixels into one feature a patch. Immutable; one thread at a time per Compute.
class VisionTower {
 public:
  virtual ~VisionTower() = default;

  /// @param pixels  [B, 3, S, S] f32, on the model's device
  /// @return        [B, P, vision_dim] in the activation dtype
  virtual at::Tensor operator()(const at::Tensor& pixels) const = 0;
};

/// SigLIP's vision transformer without its last layer, post LayerNorm and pooling head, whose
/// results the reference never uses: `hidden_states[-2]` of transformers' SiglipVisionModel.
/// Tensors `vision_model.vision_model.*`. Checked to 1e-4 by siglip_test.cpp.
std::unique_ptr<VisionTower> make_siglip_tower(const ModelConfig& config, TensorTable& tensors,
                                               std::shared_ptr<const nn::Compute> compute);

/// EfficientNet-Lite up to its head's features, batch norms folded into the convolutions. Tensors
/// `vision_model.{stem,blocks.N.{expand,depthwise,project},head}.{weight,bias}`, as
/// scripts/make_efficientnet_reference.py writes them. Checked to 1e-4 by efficientnet_test.cpp.
std::unique_ptr<VisionTower> make_efficientnet_tower(const ModelConfig& config,
                                                     TensorTable& tensors,
                                                     std::shared_ptr<const nn::Compute> compute);

/// The tower of the configuration's family.
std::unique_ptr<VisionTower> make_vision_tower(const ModelConfig& config, TensorTable& tensors,
                                               std::shared_ptr<const nn::Compute> compute);

}  // namespace aitqe
