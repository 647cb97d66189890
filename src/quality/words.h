#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "aitqe/base/ascii.h"

namespace aitqe {

/// What stands between white space of ASCII. Points into `text`.
inline std::vector<std::string_view> split_at_space(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(ascii::kSpace, at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(ascii::kSpace, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace aitqe
