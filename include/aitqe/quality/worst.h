#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "aitqe/quality/lowest_ranks.h"

namespace aitqe {

/// One scored row of a finished run; `shard`, `key` and `index` name it.
struct ScoredPair {
  std::string shard;
  std::string key;
  /// Position in the shard, from 0.
  std::int64_t index = 0;
  /// The lower the worse. Negative or NaN: not scored, never chosen, not counted.
  double score_expected = -1.0;
};

/// The lower the worse; ties are broken by a hash of seed, shard, key and index.
Rank worst_rank(const ScoredPair& pair, std::uint64_t seed);

/// `percent` of `count`, rounded half up to whole ones. @param percent  0 to 100.
std::size_t share_of(double percent, std::size_t count);

/// The worst `percent` of the scored pairs, rounded half up to whole pairs: positions in `pairs`,
/// ascending. Ties at the border are broken as worst_rank says, so the choice
/// depends neither on the order of `pairs` nor on the machine.
/// @param percent  0 to 100.
/// @throws Error(Usage) when `percent` is outside that.
std::vector<std::size_t> choose_worst(const std::vector<ScoredPair>& pairs, double percent,
                                      std::uint64_t seed);

}  // namespace aitqe
