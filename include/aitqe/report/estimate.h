#pragma once

#include <cstdint>

namespace aitqe {

/// A share of a whole, told from some of it that were drawn at random.
struct ShareEstimate {
  double share = 0;  ///< of those drawn
  /// The share of the whole lies in between, 95 times in 100.
  double low = 0;
  double high = 0;
};

/// Wilson's interval, corrected for a whole that is not endless: with all of it drawn it has no
/// width. Nothing drawn tells nothing: 0 to 1.
/// @param hits   of `drawn`, 0 to drawn
/// @param whole  at least `drawn`
ShareEstimate estimate_share(std::int64_t hits, std::int64_t drawn, std::int64_t whole);

}  // namespace aitqe
