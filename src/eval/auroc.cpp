#include "aitqe/eval/auroc.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

namespace {

constexpr double kTail = 0.025;

/// The middle of what `figure` gives for indices drawn with replacement.
Estimate bootstrap(std::size_t count, std::uint64_t seed, int resamples,
                   const std::function<double(const std::vector<std::size_t>&)>& figure) {
  std::vector<std::size_t> drawn(count);
  for (std::size_t i = 0; i < count; ++i) drawn[i] = i;
  Estimate estimate;
  estimate.value = figure(drawn);
  if (count == 0) return estimate;
  Random random(seed);
  std::vector<double> values;
  for (int i = 0; i < resamples; ++i) {
    for (std::size_t& index : drawn) index = random.below(count);
    values.push_back(figure(drawn));
  }
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  };
  estimate.low = at(kTail);
  estimate.high = at(1 - kTail);
  return estimate;
}

}  // namespace

double auroc(std::span<const double> high, std::span<const double> low) {
  if (high.empty() || low.empty()) return 0.5;
  std::vector<double> sorted(low.begin(), low.end());
  std::sort(sorted.begin(), sorted.end());
  double wins = 0;
  for (const double score : high) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    wins += static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
  }
  return wins / (static_cast<double>(high.size()) * static_cast<double>(low.size()));
}

Estimate estimate_auroc(std::span<const ScorePair> images, std::uint64_t seed, int resamples) {
  return bootstrap(images.size(), seed, resamples, [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> good;
    std::vector<double> bad;
    for (const std::size_t index : drawn) {
      good.push_back(images[index].good);
      bad.push_back(images[index].bad);
    }
    return auroc(good, bad);
  });
}

Estimate estimate_share(std::span<const char> values, std::uint64_t seed, int resamples) {
  return bootstrap(values.size(), seed, resamples, [&](const std::vector<std::size_t>& drawn) {
    double count = 0;
    for (const std::size_t index : drawn) count += values[index] != 0 ? 1 : 0;
    return drawn.empty() ? 0.0 : count / static_cast<double>(drawn.size());
  });
}

}  // namespace aitqe
