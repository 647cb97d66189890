#pragma once

#include <filesystem>
#include <string>

namespace aitqe {

struct MergeOptions {
  /// A folder with adapter.json, adapter.safetensors and everything of a model folder but the
  /// weights: OUT/adapter of `aitqe train`, or a model that comes without its base.
  std::filesystem::path adapter;
  /// A GGUF file of a llama-like model, or a model folder: the one that the adapter names.
  std::filesystem::path base;
  std::filesystem::path output_folder;
};

/// Puts a base and what was trained on top of it together into one model folder, weights in bf16:
/// low-rank factors are added to their layers, changed tensors replace the base's, and q, k and v
/// biases that a GGUF base lacks are zero.
/// @throws Error(Model) when the base is another one or a tensor does not fit; Error(Output).
void merge_adapter(const MergeOptions& options);

/// What an adapter calls its base: model_fingerprint of a folder, SHA-256 of a file.
std::string base_sha256(const std::filesystem::path& base);

}  // namespace aitqe
