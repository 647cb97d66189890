#pragma once

#include <string>
#include <string_view>

#include "aitqe/contrast/corruptor.h"
#include "aitqe/quality/assessment.h"

namespace aitqe {

/// What a judge should say of a good caption: 7 to 10 by how much it tells, with explanations.
Assessment grade_good(std::string_view caption, Random& random);

/// What a judge should say of a spoiled caption: low by the kind of flaw, the explanations name the
/// flaw, and the recaption is the original.
Assessment grade_spoiled(const SpoiledCaption& spoiled, std::string_view original, Random& random);

/// The same for a caption that came bad, with the better one as recaption.
Assessment grade_shipped_bad(std::string_view better, Random& random);

}  // namespace aitqe
