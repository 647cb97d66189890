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

// A tensor is looked at in pages spread over all of it, from its first to its last bytes.
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPages = 17;

void add_weights(const fs::path& path, Sha256& hash) {
  const auto file = SafetensorsFile::open(path);
  for (const auto& [name, info] : file->tensors()) {
    hash.update(name + "\n" + to_string(info.dtype));
    for (const std::int64_t size : info.shape) hash.update(" " + std::to_string(size));
    const std::span<const std::byte> data = file->data(name);
    if (data.size() <= kPages * kPageBytes) {
      hash.update(data.data(), data.size());
      continue;
    }
    for (std::size_t page = 0; page < kPages; ++page) {
      const std::size_t begin = (data.size() - kPageBytes) / (kPages - 1) * page;
      hash.update(data.data() + (page + 1 < kPages ? begin : data.size() - kPageBytes), kPageBytes);
    }
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
