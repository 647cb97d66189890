#include "aitqe/report/estimate.h"

#include <algorithm>
#include <cmath>

namespace aitqe {

ShareEstimate estimate_share(std::int64_t hits, std::int64_t drawn, std::int64_t whole) {
  if (drawn <= 0) return {0, 0, 1};
  const double share = static_cast<double>(hits) / static_cast<double>(drawn);
  if (drawn >= whole) return {share, share, share};
  constexpr double kSigmas = 1.959963984540054;  // the normal distribution's middle 95 %
  const double squared = kSigmas * kSigmas;
  // As many drawn from an endless whole would tell as much.
  const double n = static_cast<double>(drawn) * static_cast<double>(whole - 1) /
                   static_cast<double>(whole - drawn);
  const double middle = (share + squared / (2 * n)) / (1 + squared / n);
  const double half =
      kSigmas / (1 + squared / n) * std::sqrt(share * (1 - share) / n + squared / (4 * n * n));
  // It holds the share itself, whatever rounding says.
  return {share, std::clamp(middle - half, 0.0, share), std::clamp(middle + half, share, 1.0)};
}

}  // namespace aitqe
