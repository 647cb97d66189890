#pragma once

#include <string>
#include <vector>

namespace aitqe::app {

/// The word of `known` closest to `typed` by edits, or "" when none is close.
std::string nearest(const std::string& typed, const std::vector<std::string>& known);

}  // namespace aitqe::app
