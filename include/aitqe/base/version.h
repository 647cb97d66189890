#pragma once

#include <string_view>

namespace aitqe {

/// The program's own version, MAJOR.MINOR.PATCH, as CMakeLists.txt names it.
extern const std::string_view kVersion;

}  // namespace aitqe
