#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "aitqe/model/config.h"
#include "aitqe/model/qwen2.h"
#include "aitqe/model/vision_tower.h"
#include "aitqe/nn/compute.h"
#include "aitqe/nn/mlp.h"

namespace aitqe {

/// The whole model: vision tower -> projector -> language model, on one device.
/// Immutable; one thread at a time.
class Mllm {
 public:
  /// @param config  of load_model_config for the same folder
  /// @param listener  see TensorTable
  /// @throws Error(Model) naming file and tensor.
  static std::unique_ptr<Mllm> load(const std::filesystem::path& folder, ModelConfig config,
                                    const nn::Compute& compute,
                                    TensorTable::Listener listener = {});

  /// Weights out of TensorTable::drawn. For benchmarks; not for Backend::Kernels.
  static std::unique_ptr<Mllm> drawn(ModelConfig config, const nn::Compute& compute);

  /// Every tensor of the folder that is missing, mis-shaped or left over, a line each.
  /// @throws Error(Model) when the files cannot be read at all.
  static std::vector<std::string> misfits(const std::filesystem::path& folder, ModelConfig config);

  const ModelConfig& config() const { return config_; }
  const nn::Compute& compute() const { return *compute_; }
  const Qwen2& language_model() const { return *language_model_; }
  const VisionTower& vision_tower() const { return *vision_tower_; }

  /// Features in the language model's embedding space.
  /// @param pixels  [B, 3, S, S] f32, anywhere
  /// @return        [B, num_image_tokens, hidden]
  at::Tensor encode_images(const at::Tensor& pixels) const;

 private:
  Mllm(ModelConfig config, TensorTable& tensors, const nn::Compute& compute);

  ModelConfig config_;
  std::shared_ptr<const nn::Compute> compute_;
  std::unique_ptr<VisionTower> vision_tower_;
  /// `mm_projector`: linear, exact GELU, linear without bias.
  std::unique_ptr<nn::GeluMlp> projector_;
  std::unique_ptr<Qwen2> language_model_;
};

}  // namespace aitqe
