#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aitqe/base/hash.h"
#include "aitqe/io/safetensors_writer.h"

namespace aitqe::test {

/// A file as scripts/caption_vectors.py writes it. @param vectors  of one length
inline void write_caption_vectors(const std::filesystem::path& path,
                                  const std::map<std::string, std::vector<float>>& vectors) {
  std::string hashes;
  std::vector<float> values;
  for (const auto& [caption, vector] : vectors) {
    const std::string hex = sha256_hex(caption);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      hashes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    values.insert(values.end(), vector.begin(), vector.end());
  }
  const auto count = static_cast<std::int64_t>(vectors.size());
  const auto dim = static_cast<std::int64_t>(values.size()) / count;
  write_safetensors(
      path, std::vector<TensorToWrite>{
                {"sha256", TensorDtype::U8, {count, 32}, std::as_bytes(std::span(hashes))},
                {"vectors", TensorDtype::F32, {count, dim}, std::as_bytes(std::span(values))}});
}

}  // namespace aitqe::test
