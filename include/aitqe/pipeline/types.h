#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/image/pixels.h"
#include "aitqe/pipeline/answer_guide.h"
#include "aitqe/quality/injection.h"
#include "aitqe/report/row.h"

namespace aitqe {

/// A pair read, decoded and put into tokens, or why that could not be done.
struct PreparedSample {
  Sample sample;
  std::string shard;    ///< its name; "" for one that comes from none
  std::string caption;  ///< bytes as they lie in the member; "" when there is none
  bool caption_present = false;
  RowImage image;
  std::vector<std::int32_t> prompt;
  bool special_token_in_caption = false;
  std::optional<InjectionSign> injection_sign;
  Pixels pixels;              ///< emptied once the model has seen it
  std::string pixels_sha256;  ///< only for traces
  std::optional<RowFailure> failure;
};

/// A pair with the model's answer, or why there is none.
struct AssessedSample {
  PreparedSample prepared;
  Answer answer;  ///< meaningful unless prepared.failure is set
};

/// A pair as it is written.
struct EnhancedSample {
  Sample sample;  ///< caption replaced where the verdict says so
  ReportRow row;
};

}  // namespace aitqe
