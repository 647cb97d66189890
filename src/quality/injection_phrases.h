#pragma once

#include <string_view>

namespace aitqe {

// Phrases of `injection_phrases.cpp`, looked for in a text that fold_lookalikes has folded.

/// Tells a judge what to do: "ignore ... instructions", "rate this ... 10", in many languages.
bool has_instruction(std::string_view folded);

/// Gives a judge a role, or speaks of what it is: "you are ... assistant", "system prompt".
bool has_role(std::string_view folded);

}  // namespace aitqe
