#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "aitqe/io/safetensors.h"

namespace aitqe {

/// A tensor to be written. Borrowed bytes, little-endian, row-major.
struct TensorToWrite {
  std::string name;
  TensorDtype dtype = TensorDtype::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes a .safetensors file; it appears under its name when it is complete. Tensors lie in the
/// order given, the first at a multiple of 64 bytes. Same tensors in, same bytes out.
/// @param metadata  the header's `__metadata__`; left out when empty
/// @throws Error(Output); Error(Bug) when bytes and shape do not fit or a name comes twice.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace aitqe
