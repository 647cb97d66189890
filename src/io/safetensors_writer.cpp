#include "aitqe/io/safetensors_writer.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/io/sink.h"

namespace aitqe {

namespace {

constexpr std::size_t kAlignment = 64;

std::int64_t expected_bytes(const TensorToWrite& tensor) {
  std::int64_t bytes = size_bytes(tensor.dtype);
  for (const std::int64_t size : tensor.shape) bytes *= size;
  return bytes;
}

std::string header_of(std::span<const TensorToWrite> tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::int64_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::int64_t bytes = expected_bytes(tensor);
    if (header.contains(tensor.name) || bytes != static_cast<std::int64_t>(tensor.bytes.size())) {
      throw Error(ErrorCategory::Bug, "tensor \"" + tensor.name + "\" cannot be written: " +
                                          std::to_string(tensor.bytes.size()) + " bytes for " +
                                          std::to_string(bytes) + ", or its name came before");
    }
    header[tensor.name] = {{"dtype", to_string(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  constexpr std::size_t kLengthBytes = 8;
  const std::size_t over = (kLengthBytes + text.size()) % kAlignment;
  if (over != 0) text.append(kAlignment - over, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string header = header_of(tensors, metadata);
  std::string length;
  for (std::size_t shift = 0; shift < 64; shift += 8) {
    length += static_cast<char>((header.size() >> shift) & 0xFFU);
  }
  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const TensorToWrite& tensor : tensors) {
    file.write({reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
  }
  file.commit();
}

}  // namespace aitqe
