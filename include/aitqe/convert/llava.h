#pragma once

#include <filesystem>
#include <optional>

namespace aitqe {

struct LlavaOptions {
  /// A whole model folder (no adapter) with a SigLIP tower.
  std::filesystem::path model;
  /// Where its tower's configuration lies; see load_model_config.
  std::optional<std::filesystem::path> vision_folder;
  std::filesystem::path output_folder;
};

/// Writes a model as transformers' LlavaForConditionalGeneration reads it, for programs that know
/// that layout and not ours. Same tensors, bytes and dtypes under other names; the second layer of
/// the projector gets a bias of zeros. The tower loses its last layer and its head, and its
/// features are then those of layer -1: hidden_states[-2] of the whole tower. Weights go from file
/// to file and are never all in memory.
/// Source: transformers 5.23; checked against it by scripts/check_llava.py.
/// @throws Error(Model) when the model does not load, its tower is no SigLIP, its projector is
///         wider than the language model, or no id is left for the image token; Error(Usage),
///         Error(Output) as the functions of io/sink.h.
void export_llava(const LlavaOptions& options);

}  // namespace aitqe
