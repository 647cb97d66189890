#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "aitqe/image/pixels.h"
#include "aitqe/model/mllm.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/text/tokenizer.h"

namespace aitqe {

struct ModelOptions {
  std::filesystem::path folder;
  /// Folder of the vision tower's config.json, when it lies elsewhere.
  std::optional<std::filesystem::path> vision_folder;
  std::string device = "auto";   ///< auto | cpu | cuda[:N]
  std::string dtype = "auto";    ///< auto | f32 | bf16
  std::string packing = "auto";  ///< auto | ahead | none: a packed copy of the weights in memory
  int num_threads = 0;           ///< of the model; 0 = one a core
};

/// A model folder ready to judge pairs: weights, tokenizer, prompt, image shape.
struct LoadedModel {
  std::unique_ptr<Mllm> mllm;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const PromptBuilder> prompts;
  PixelNorm pixel_norm;
  int image_side_px = 0;
  std::string description;  ///< "aitqe-tiny: f32 on cpu, 2 threads, avx512, packed 12 MB"
  std::string fingerprint;  ///< sha256, see model_fingerprint
  double load_s = 0;
};

/// Loads everything. @throws Error(Model) or Error(Usage) for an option that means nothing here.
LoadedModel load_model(const ModelOptions& options);

/// SHA-256 over the folder's files: small ones whole, of weights the size, the first and the last
/// MiB (a 16 GB checkpoint is not read twice). Names a model in run.json and stats.
std::string model_fingerprint(const std::filesystem::path& folder);

}  // namespace aitqe
