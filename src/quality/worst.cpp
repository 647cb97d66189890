#include "aitqe/quality/worst.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "aitqe/base/error.h"
#include "aitqe/base/random.h"

namespace aitqe {
namespace {

std::string shortest(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

}  // namespace

Rank worst_rank(const ScoredPair& pair, std::uint64_t seed) {
  std::uint64_t hash = hash_text(pair.shard, mix_bits(seed));
  hash = hash_text(pair.key, hash);
  return {pair.score_expected, mix_bits(hash ^ static_cast<std::uint64_t>(pair.index))};
}

std::size_t share_of(double percent, std::size_t count) {
  const double exact = percent * static_cast<double>(count) / 100.0;
  return std::min(static_cast<std::size_t>(std::floor(exact + 0.5)), count);
}

std::vector<std::size_t> choose_worst(const std::vector<ScoredPair>& pairs, double percent,
                                      std::uint64_t seed) {
  if (!(percent >= 0.0 && percent <= 100.0)) {
    throw Error(ErrorCategory::Usage,
                "--rewrite-when worst:P%: P is " + shortest(percent) + ", expected 0 to 100");
  }
  const auto is_scored = [](const ScoredPair& pair) { return pair.score_expected >= 0.0; };
  LowestRanks lowest;
  for (const ScoredPair& pair : pairs) {
    if (is_scored(pair)) lowest.add(worst_rank(pair, seed));
  }
  lowest.close(share_of(percent, lowest.size()));
  std::vector<std::size_t> worst;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (is_scored(pairs[i]) && lowest.take(worst_rank(pairs[i], seed))) worst.push_back(i);
  }
  return worst;
}

}  // namespace aitqe
