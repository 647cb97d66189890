#pragma once

#include <optional>
#include <string_view>

#include "aitqe/quality/assessment.h"

namespace aitqe {

struct ScoreReading {
  double value = kNoScore;
  std::optional<AnswerProblem::Kind> problem;  // ScoreForm goes with a value, the others without
};

/// Whether a text ends with the whole mark `<Overall>` or the first part of it.
/// @return  the text before that.
std::optional<std::string_view> before_score_end(std::string_view text, std::string_view mark);

/// Reads `8`, `8.0`, `8<Overall>`, `8/10`, `8 out of 10`, `eight`.
/// @param is_cut  the answer ended right after `text`, so that digits may be missing.
ScoreReading read_score(std::string_view text, bool is_cut, const AnswerKeys& keys);

}  // namespace aitqe
