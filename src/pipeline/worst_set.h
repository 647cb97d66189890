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

/// @throws Error(Usage) unless the folder holds scores of every pair of every shard.
void require_scores(const std::filesystem::path& scores_folder,
                    const std::vector<ShardRef>& shards);

/// The worst `percent` of the pairs of a finished score run (require_scores).
PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed);

}  // namespace aitqe
