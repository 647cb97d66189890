#pragma once

#include <string>
#include <vector>

namespace aitqe::app {

/// The word of `known` closest to `typed`, or "" when none is close: one slip, or one in every
/// three letters. A slip is a letter too many, too few or wrong, or two letters that changed
/// places.
std::string nearest(const std::string& typed, const std::vector<std::string>& known);

/// `; did you mean WORD?` for the end of a message, or "" when none is close.
std::string did_you_mean(const std::string& typed, const std::vector<std::string>& known);

}  // namespace aitqe::app
