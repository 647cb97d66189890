#pragma once

#include <string>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// The dictionary a model is taught to answer with, as parse_answer reads it: the recaption first
/// where there is one, then the overall score with `keys.score_end` behind it, then what else is
/// known, in the order of ScoreField. Scores that are kNoScore and empty explanations are left out.
/// JSON on one line, with characters outside ASCII as they are.
/// @param assessment  texts in valid UTF-8; scores are rounded to whole numbers.
std::string render_answer(const Assessment& assessment, const AnswerKeys& keys);

}  // namespace aitqe
