#pragma once

#include <cstddef>
#include <string>

#include "aitqe/report/report.h"

namespace aitqe {

// Parts of the screenful that a report and a preview share.

inline constexpr std::size_t kLabelWidth = 12;

/// What stands at the left of a line.
std::string label(const std::string& text);

/// Scores and lengths of captions as small histograms, a line each; "" where there are none.
std::string histograms(const RunReport& report, const TerminalStyle& style);

/// The most frequent failures.
std::string failures(const Summary& summary);

}  // namespace aitqe
