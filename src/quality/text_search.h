#pragma once

#include <cstddef>
#include <string_view>

namespace aitqe {

inline constexpr std::size_t kNowhere = std::string_view::npos;

/// An empty part is in no text.
inline bool contains(std::string_view text, std::string_view part) {
  return !part.empty() && text.find(part) != kNowhere;
}

}  // namespace aitqe
