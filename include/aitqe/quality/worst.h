#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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

/// The worst `percent` of the scored pairs, rounded half up to whole pairs: positions in `pairs`,
/// ascending. Ties at the border are broken by a hash of seed, shard, key and index, so the choice
/// depends neither on the order of `pairs` nor on the machine.
/// @param percent  0 to 100.
/// @throws Error(Usage) when `percent` is outside that.
std::vector<std::size_t> choose_worst(const std::vector<ScoredPair>& pairs, double percent,
                                      std::uint64_t seed);

}  // namespace aitqe
