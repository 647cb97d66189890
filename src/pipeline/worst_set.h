#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aitqe/io/shards.h"

namespace aitqe {

/// Pairs by shard name and index.
using PairSet = std::set<std::pair<std::string, std::int64_t>>;

/// The worst `percent` of the pairs of a finished score run.
/// @throws Error(Usage) when the run does not hold every shard of this one.
PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed);

}  // namespace aitqe
