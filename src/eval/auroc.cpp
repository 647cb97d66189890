#include "aitqe/eval/auroc.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

namespace {

constexpr double kTail = 0.025;

using Drawn = std::vector<std::size_t>;

Drawn everything(std::size_t count) {
  Drawn drawn(count);
  for (std::size_t i = 0; i < count; ++i) drawn[i] = i;
  return drawn;
}

void draw_again(Drawn& drawn, Random& random) {
  for (std::size_t& index : drawn) index = random.below(drawn.size());
}

/// The middle of what `figure` gives for indices drawn with replacement, from two lists apart; the
/// second may be empty.
Estimate bootstrap(std::size_t first_count, std::size_t second_count, std::uint64_t seed,
                   int resamples, const std::function<double(const Drawn&, const Drawn&)>& figure) {
  Drawn first = everything(first_count);
  Drawn second = everything(second_count);
  Estimate estimate;
  estimate.value = figure(first, second);
  Random random(seed);
  std::vector<double> values;
  for (int i = 0; i < resamples; ++i) {
    draw_again(first, random);
    draw_again(second, random);
    values.push_back(figure(first, second));
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
  if (high.empty() || low.empty()) return std::numeric_limits<double>::quiet_NaN();
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
  if (images.empty()) return {};
  return bootstrap(images.size(), 0, seed, resamples, [&](const Drawn& drawn, const Drawn&) {
    std::vector<double> good;
    std::vector<double> bad;
    for (const std::size_t index : drawn) {
      good.push_back(images[index].good);
      bad.push_back(images[index].bad);
    }
    return auroc(good, bad);
  });
}

Estimate estimate_auroc(std::span<const double> good, std::span<const double> bad,
                        std::uint64_t seed, int resamples) {
  if (good.empty() || bad.empty()) return {};
  const auto pick = [](std::span<const double> from, const Drawn& drawn) {
    std::vector<double> values;
    for (const std::size_t index : drawn) values.push_back(from[index]);
    return values;
  };
  return bootstrap(good.size(), bad.size(), seed, resamples,
                   [&](const Drawn& first, const Drawn& second) {
                     return auroc(pick(good, first), pick(bad, second));
                   });
}

Estimate estimate_share(std::span<const char> values, std::uint64_t seed, int resamples) {
  if (values.empty()) return {};
  return bootstrap(values.size(), 0, seed, resamples, [&](const Drawn& drawn, const Drawn&) {
    double count = 0;
    for (const std::size_t index : drawn) count += values[index] != 0 ? 1 : 0;
    return count / static_cast<double>(drawn.size());
  });
}

}  // namespace aitqe
