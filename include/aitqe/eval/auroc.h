#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace aitqe {

/// The probability that one of `high` is above one of `low`; a tie counts half. NaN where either is
/// empty. n log n.
double auroc(std::span<const double> high, std::span<const double> low);

/// Scores of one image: of its good caption and of the same image with a bad one.
struct ScorePair {
  double good = 0;
  double bad = 0;
};

/// A figure with the middle 95 % of what it would be over images drawn again. NaN of nothing.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

/// AUROC of all good against all bad captions, bootstrapped over images. The same for the same
/// seed.
Estimate estimate_auroc(std::span<const ScorePair> images, std::uint64_t seed, int resamples = 500);

/// The same where good and bad captions are of different images: each side is drawn on its own.
Estimate estimate_auroc(std::span<const double> good, std::span<const double> bad,
                        std::uint64_t seed, int resamples = 500);

/// The share of true values, bootstrapped the same way.
Estimate estimate_share(std::span<const char> values, std::uint64_t seed, int resamples = 500);

}  // namespace aitqe
