#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "aitqe/quality/lowest_ranks.h"

namespace aitqe {

/// One scored row of a finished run; `shard`, `key` and `index` name it.
struct ScoredPair {
  std::string shard;
  std::string key;
  /// Position in the shard, from 0.
  std::int64_t index = 0;
  /// The lower the worse; not NaN.
  double score_expected = -1.0;
};

/// The lower the worse; ties are broken by a hash of seed, shard, key and index.
Rank worst_rank(const ScoredPair& pair, std::uint64_t seed);

/// `percent` of `count`, rounded half up to whole ones. @param percent  0 to 100.
std::size_t share_of(double percent, std::size_t count);

}  // namespace aitqe
