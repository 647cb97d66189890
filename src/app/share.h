#pragma once

#include <string>

namespace aitqe::app {

/// "1%" or "0.01" -> 0.01. @throws Error(Usage) naming the option.
double parse_share(const std::string& text, const char* option);

}  // namespace aitqe::app
