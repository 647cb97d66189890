#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe {

/// Slips between two words: letters (bytes) too many, too few or wrong, or two neighbours that
/// changed places (the optimal string alignment distance).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word of `known` closest to `typed`, or "" when none is close: one slip, or one in every
/// three letters.
std::string nearest(std::string_view typed, const std::vector<std::string>& known);

/// `; did you mean WORD?` for the end of a message, or "" when none is close.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& known);

}  // namespace aitqe
