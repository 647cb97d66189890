#pragma once

#include <array>

#include "aitqe/report/estimate.h"
#include "aitqe/report/report.h"
#include "json_fields.h"

namespace aitqe {

/// What the pairs that were judged tell of a decision in the whole input.
struct DecisionEstimate {
  const char* name;  ///< "kept", "rewritten", "failed"
  std::int64_t pairs = 0;
  ShareEstimate of_all;  ///< low and high mean nothing unless the pairs were drawn at random
};

/// @param report  of a preview
std::array<DecisionEstimate, 3> estimate_decisions(const RunReport& report);

/// The preview's own part of the page's data and of `aitqe.forecast/2`.
Json preview_object(const RunReport& report);

}  // namespace aitqe
