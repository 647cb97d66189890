#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aitqe/pipeline/types.h"

namespace aitqe {

/// What the journal keeps of an answered pair: all of the answer that its row and its caption come
/// from, and whose answer it is. One line of JSON; `{}` for a pair that has no answer.
std::string answer_to_record(const AssessedSample& sample);

/// The answer again; nothing where there was none, or the record is another pair's (the input has
/// changed). Without `ids` and `first_logits`, which only traces show.
std::optional<Answer> answer_from_record(std::string_view record, const PreparedSample& prepared);

}  // namespace aitqe
