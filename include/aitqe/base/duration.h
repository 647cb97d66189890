#pragma once

#include <string>

namespace aitqe {

/// A time span for people, in its two largest units: "42s", "3m 20s", "2h 05m", "3d 04h".
/// Rounded half up to seconds; below 0, and what is no number, is "0s".
std::string duration_text(double seconds);

}  // namespace aitqe
