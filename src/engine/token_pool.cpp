#include "aitqe/engine/token_pool.h"

#include <algorithm>
#include <cassert>

namespace aitqe {

TokenPool::TokenPool(std::int64_t num_rows) {
  if (num_rows > 0) gaps_.emplace(0, num_rows);
}

std::optional<std::int64_t> TokenPool::take(std::int64_t count) {
  const auto gap =
      std::ranges::find_if(gaps_, [&](const auto& each) { return each.second >= count; });
  if (gap == gaps_.end()) return std::nullopt;
  const auto [first_row, rows] = *gap;
  gaps_.erase(gap);
  if (rows > count) gaps_.emplace(first_row + count, rows - count);
  return first_row;
}

bool TokenPool::has(std::int64_t count) const {
  return std::ranges::any_of(gaps_, [&](const auto& each) { return each.second >= count; });
}

void TokenPool::give_back(std::int64_t first_row, std::int64_t count) {
  const auto next = gaps_.lower_bound(first_row);
  assert(next == gaps_.end() || first_row + count <= next->first);
  if (next != gaps_.end() && first_row + count == next->first) {
    count += next->second;
    gaps_.erase(next);
  }
  const auto after = gaps_.lower_bound(first_row);
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    assert(before->first + before->second <= first_row);
    if (before->first + before->second == first_row) {
      before->second += count;
      return;
    }
  }
  gaps_.emplace(first_row, count);
}

}  // namespace aitqe
