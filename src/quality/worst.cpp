#include "aitqe/quality/worst.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <tuple>

#include "aitqe/base/error.h"
#include "aitqe/base/random.h"

namespace aitqe {
namespace {

std::uint64_t tie_hash(const ScoredPair& pair, std::uint64_t seed) {
  std::uint64_t hash = hash_text(pair.shard, mix_bits(seed));
  hash = hash_text(pair.key, hash);
  return mix_bits(hash ^ static_cast<std::uint64_t>(pair.index));
}

struct Candidate {
  double score = 0.0;
  std::uint64_t hash = 0;
  std::size_t position = 0;
};

std::string shortest(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

}  // namespace

std::vector<std::size_t> choose_worst(const std::vector<ScoredPair>& pairs, double percent,
                                      std::uint64_t seed) {
  if (!(percent >= 0.0 && percent <= 100.0)) {
    throw Error(ErrorCategory::Usage,
                "--rewrite-when worst:P%: P is " + shortest(percent) + ", expected 0 to 100");
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!(pairs[i].score_expected >= 0.0)) continue;
    candidates.push_back({pairs[i].score_expected, tie_hash(pairs[i], seed), i});
  }
  const double exact = percent * static_cast<double>(candidates.size()) / 100.0;
  const auto count = std::min(static_cast<std::size_t>(std::floor(exact + 0.5)), candidates.size());
  const auto is_worse = [&pairs](const Candidate& a, const Candidate& b) {
    const auto rank = [&pairs](const Candidate& c) {
      const ScoredPair& pair = pairs[c.position];
      return std::tie(c.score, c.hash, pair.shard, pair.key, pair.index, c.position);
    };
    return rank(a) < rank(b);
  };
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                   candidates.end(), is_worse);

  std::vector<std::size_t> worst(count);
  for (std::size_t i = 0; i < count; ++i) worst[i] = candidates[i].position;
  std::sort(worst.begin(), worst.end());
  return worst;
}

}  // namespace aitqe
