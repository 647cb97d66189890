#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aitqe::test {

/// A safetensors file of zeros: name -> shape, dtype as the format spells it.
struct TensorSpec {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
};

inline std::string safetensors_of_zeros(const std::vector<TensorSpec>& tensors) {
  std::string header = "{";
  std::int64_t offset = 0;
  for (const TensorSpec& tensor : tensors) {
    std::int64_t bytes = tensor.dtype == "F32" || tensor.dtype == "I32" ? 4 : 2;
    std::string shape;
    for (const std::int64_t size : tensor.shape) {
      bytes *= size;
      shape += (shape.empty() ? "" : ",") + std::to_string(size);
    }
    header += (header.size() > 1 ? ",\"" : "\"") + tensor.name + "\":{\"dtype\":\"" + tensor.dtype +
              "\",\"shape\":[" + shape + "],\"data_offsets\":[" + std::to_string(offset) + "," +
              std::to_string(offset + bytes) + "]}";
    offset += bytes;
  }
  header += "}";
  std::string file(8, '\0');
  for (int i = 0; i < 8; ++i)
    file[static_cast<std::size_t>(i)] = static_cast<char>(header.size() >> (8 * i));
  return file + header + std::string(static_cast<std::size_t>(offset), '\0');
}

}  // namespace aitqe::test
