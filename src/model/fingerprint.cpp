#include "aitqe/model/fingerprint.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "aitqe/base/hash.h"
#include "aitqe/io/safetensors.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

/// Of a tensor, at either end.
constexpr std::size_t kEndBytes = 4096;

void add_weights(const fs::path& path, Sha256& hash) {
  const auto file = SafetensorsFile::open(path);
  for (const auto& [name, info] : file->tensors()) {
    hash.update(name + "\n" + to_string(info.dtype));
    for (const std::int64_t size : info.shape) hash.update(" " + std::to_string(size));
    const std::span<const std::byte> data = file->data(name);
    const std::size_t end_bytes = std::min(kEndBytes, data.size());
    hash.update(data.data(), end_bytes);
    hash.update(data.data() + data.size() - end_bytes, end_bytes);
  }
}

void add_whole(const fs::path& path, Sha256& hash) {
  std::ifstream file(path, std::ios::binary);
  hash.update(std::string(std::istreambuf_iterator<char>(file), {}));
}

}  // namespace

std::string model_fingerprint(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    const bool counts = extension == ".json" || extension == ".safetensors" ||
                        entry.path().filename() == "merges.txt";
    if (entry.is_regular_file() && counts) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Sha256 hash;
  for (const fs::path& path : files) {
    hash.update(path.filename().string() + "\n" + std::to_string(fs::file_size(path)) + "\n");
    if (path.extension() == ".safetensors") {
      add_weights(path, hash);
    } else {
      add_whole(path, hash);
    }
  }
  return hash.hex_digest();
}

std::string model_fingerprint(const fs::path& folder, const ModelConfig& config) {
  Sha256 hash;
  hash.update(model_fingerprint(folder));
  const fs::path vision = config.vision_config_origin;
  if (!fs::is_directory(vision)) hash.update(config.vision_config_origin);  // a preset
  for (const char* name : {"config.json", "preprocessor_config.json"}) {
    if (!fs::exists(vision / name)) continue;
    hash.update(std::string("\n") + name + "\n");
    add_whole(vision / name, hash);
  }
  return hash.hex_digest();
}

}  // namespace aitqe
