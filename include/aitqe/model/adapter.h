#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

namespace aitqe {

/// What a training left, apart from what it stood on (docs/formats.md, "Adapters").
struct Adapter {
  /// Low-rank factors of a layer: y += scale x A^T B^T.
  struct LowRank {
    at::Tensor a;  ///< [rank, inputs] f32
    at::Tensor b;  ///< [outputs, rank] f32
    double scale = 1;
  };
  std::string base_sha256;                    ///< model_fingerprint of a folder, or of a file
  std::map<std::string, LowRank> low_rank;    ///< by layer, without `.weight`
  std::map<std::string, at::Tensor> changed;  ///< f32; each replaces the base's

  /// Reads FOLDER/adapter.json and FOLDER/adapter.safetensors.
  /// @throws Error(Model) naming the file, and the layer whose factors do not fit each other.
  static Adapter read(const std::filesystem::path& folder);
  /// Writes them, tensors in bf16. Atomic. @throws Error(Output).
  void write(const std::filesystem::path& folder) const;
  /// What low-rank factors add to a layer of this shape. @return [outputs, inputs] f32
  /// @throws Error(Model) naming the layer where they do not fit.
  static at::Tensor added(const LowRank& factors, const std::string& layer,
                          at::IntArrayRef layer_shape);
};

}  // namespace aitqe
