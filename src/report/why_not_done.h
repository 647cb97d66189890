#pragma once

#include <filesystem>
#include <string>

namespace aitqe {

/// What keeps a shard that has stats from being `committed`, in words; "" where it has no stats.
std::string why_not_done(const std::filesystem::path& folder, const std::string& shard);

}  // namespace aitqe
