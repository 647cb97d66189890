#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

namespace aitqe {

/// Writes tensors as a .safetensors file, each in the dtype it has: F32, BF16, F16, I64 or U8.
/// Atomic. @throws Error(Output).
void write_tensors(const std::filesystem::path& path,
                   const std::map<std::string, at::Tensor>& tensors,
                   const std::map<std::string, std::string>& metadata);

}  // namespace aitqe
