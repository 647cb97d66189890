#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "aitqe/io/shards.h"

namespace aitqe {

/// Pairs by shard name and index, a bit each.
class PairSet {
 public:
  void insert(const std::string& shard, std::int64_t index);
  bool contains(const std::string& shard, std::int64_t index) const;

 private:
  std::map<std::string, std::vector<bool>> pairs_;
};

/// SHA-256 over the names of these shards and the hashes of their rows: other scores, or a part of
/// the shards, make another worst set. Needs require_scores.
std::string scores_sha256(const std::filesystem::path& scores_folder,
                          const std::vector<ShardRef>& shards);

/// @throws Error(Usage) unless the folder holds scores of every pair of every shard.
void require_scores(const std::filesystem::path& scores_folder,
                    const std::vector<ShardRef>& shards);

/// The worst `percent` of the pairs of a finished score run (require_scores). Reads the rows twice;
/// 16 bytes a row in between, and a bit of each when it is done.
PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed);

}  // namespace aitqe
