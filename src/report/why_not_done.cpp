#include "why_not_done.h"

#include <fstream>
#include <iterator>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/report/stats.h"

namespace aitqe {

namespace fs = std::filesystem;

std::string why_not_done(const fs::path& folder, const std::string& shard) {
  const std::string name = shard + ".aitqe.stats.json";
  std::ifstream file(folder / name, std::ios::binary);
  if (!file) return "";
  try {
    const std::string json(std::istreambuf_iterator<char>(file), {});
    for (const FileIdentity& told : stats_from_json(json).files) {
      std::error_code error;
      const auto bytes = static_cast<std::int64_t>(fs::file_size(folder / told.name, error));
      if (error) return told.name + " is missing";
      if (bytes == told.bytes) continue;
      return told.name + formatted(" has %ld bytes, its stats say %ld", static_cast<long>(bytes),
                                   static_cast<long>(told.bytes));
    }
  } catch (const Error& error) {
    return name + ": " + error.what();
  }
  return name + " could not be read";
}

}  // namespace aitqe
