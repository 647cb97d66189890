#include "aitqe/quality/lowest_ranks.h"

#include <algorithm>

namespace aitqe {

void LowestRanks::close(std::size_t count) {
  count = std::min(count, ranks_.size());
  takes_any_ = count > 0;
  if (takes_any_) {
    const auto border = ranks_.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::nth_element(ranks_.begin(), border, ranks_.end());
    border_ = *border;
    border_left_ = static_cast<std::size_t>(std::count(ranks_.begin(), border + 1, border_));
  }
  ranks_ = std::deque<Rank>();
}

bool LowestRanks::take(const Rank& rank) {
  if (!takes_any_) return false;
  if (!(rank == border_)) return rank < border_;
  if (border_left_ == 0) return false;
  --border_left_;
  return true;
}

}  // namespace aitqe
