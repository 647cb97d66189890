#include "aitqe/model/fingerprint.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

#include "aitqe/base/hash.h"

namespace aitqe {

namespace {
namespace fs = std::filesystem;
constexpr std::int64_t kMiB = std::int64_t{1} << 20;
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
    const auto size = static_cast<std::int64_t>(fs::file_size(path));
    hash.update(path.filename().string() + "\n" + std::to_string(size) + "\n");
    std::ifstream file(path, std::ios::binary);
    std::string piece(static_cast<std::size_t>(std::min(size, kMiB)), '\0');
    const bool whole = path.extension() != ".safetensors";
    for (std::int64_t at = 0; at < size; at += kMiB) {
      if (!whole && at != 0 && at + kMiB < size) continue;
      file.seekg(at);
      file.read(piece.data(), std::min(kMiB, size - at));
      hash.update({piece.data(), static_cast<std::size_t>(file.gcount())});
    }
  }
  return hash.hex_digest();
}

}  // namespace aitqe
