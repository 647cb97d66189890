#include "aitqe/quality/worst.h"

#include <algorithm>
#include <cmath>

#include "aitqe/base/random.h"

namespace aitqe {

Rank worst_rank(const ScoredPair& pair, std::uint64_t seed) {
  std::uint64_t hash = hash_text(pair.shard, mix_bits(seed));
  hash = hash_text(pair.key, hash);
  return {pair.score_expected, mix_bits(hash ^ static_cast<std::uint64_t>(pair.index))};
}

std::size_t share_of(double percent, std::size_t count) {
  const double exact = percent * static_cast<double>(count) / 100.0;
  return std::min(static_cast<std::size_t>(std::floor(exact + 0.5)), count);
}

}  // namespace aitqe
