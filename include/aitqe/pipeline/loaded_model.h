#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/image/pixels.h"
#include "aitqe/model/mllm.h"
#include "aitqe/nn/device.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {

struct ModelOptions {
  std::filesystem::path folder;
  /// Folder of the vision tower's config.json, when it lies elsewhere.
  std::optional<std::filesystem::path> vision_folder;
  /// auto | cpu | cuda[:N] | cuda:all, or several with commas: the weights are loaded onto each.
  std::string device = "auto";
  std::string dtype = "auto";    ///< auto | f32 | bf16 | int8 (CPU) | fp8 (GPU)
  std::string packing = "auto";  ///< auto | ahead | none: a packed copy of the weights in memory
  int num_threads = 0;           ///< of the model, over all devices; 0 = one a usable core
  /// Called before each tensor that is loaded; may throw, to end the load.
  TensorTable::Listener on_tensor = {};
};

/// What turns a pair into a model's input: all of a model folder but its weights.
struct ModelInputs {
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const PromptBuilder> prompts;
  PixelNorm pixel_norm;
  int image_side_px = 0;
};

/// @throws Error(Model) naming file and key.
ModelInputs load_model_inputs(const std::filesystem::path& folder,
                              const std::optional<std::filesystem::path>& vision_folder = {});

/// A model folder ready to judge pairs.
struct LoadedModel : ModelInputs {
  /// The same weights on each device; never empty.
  std::vector<std::unique_ptr<const Mllm>> replicas;
  std::string description;  ///< "aitqe-tiny: f32 on cpu, 2 threads, avx512, packed 12 MB"
  std::string fingerprint;  ///< sha256, see model_fingerprint
  double load_s = 0;

  const Mllm& mllm() const { return *replicas.front(); }
};

using nn::open_device;

/// As `--dtype` names it: f32, bf16, int8 or fp8.
std::string dtype_name(const nn::Compute& compute);

/// Loads everything. @throws Error(Model) or Error(Usage) for an option that means nothing here.
LoadedModel load_model(const ModelOptions& options);

}  // namespace aitqe
