#include "why_not_done.h"

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/report/stats.h"

namespace aitqe {

std::string why_not_done(const OutputFolder& folder, const std::string& shard) {
  const std::string name = shard + ".aitqe.stats.json";
  const auto json = folder.read(name);
  if (!json) return "";
  try {
    for (const FileIdentity& told : stats_from_json(*json).files) {
      const auto bytes = folder.size_bytes(told.name);
      if (!bytes) return told.name + " is missing";
      if (*bytes == told.bytes) continue;
      return told.name + formatted(" has %ld bytes, its stats say %ld", static_cast<long>(*bytes),
                                   static_cast<long>(told.bytes));
    }
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::Damaged) throw;
    return name + ": " + error.what();
  }
  return name + " could not be read";
}

}  // namespace aitqe
