#pragma once

#include <cstdint>
#include <span>

namespace aitqe {

/// The probability that one of `high` is above one of `low`; a tie counts half. 0.5 where either is
/// empty. n log n.
double auroc(std::span<const double> high, std::span<const double> low);

/// Scores of one image: of its good caption and of the same image with a bad one.
struct ScorePair {
  double good = 0;
  double bad = 0;
};

/// A figure with the middle 95 % of what it would be over images drawn again.
struct Estimate {
  double value = 0;
  double low = 0;
  double high = 0;
};

/// AUROC of all good against all bad captions, bootstrapped over images. The same for the same
/// seed.
Estimate estimate_auroc(std::span<const ScorePair> images, std::uint64_t seed, int resamples = 500);

/// The share of true values, bootstrapped the same way.
Estimate estimate_share(std::span<const char> values, std::uint64_t seed, int resamples = 500);

}  // namespace aitqe
