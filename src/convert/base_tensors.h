#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "aitqe/model/config.h"

namespace aitqe {

/// All tensors of a base under our names, in bf16.
/// A GGUF file of the llama family: layers are renamed; q and k rows, which lie interleaved there,
/// go back into halves (REFERENCE, "rotary in halves"); missing q, k and v biases are zero.
/// @throws Error(Model).
std::map<std::string, at::Tensor> read_base(const std::filesystem::path& base,
                                            const TextConfig& config);

}  // namespace aitqe
