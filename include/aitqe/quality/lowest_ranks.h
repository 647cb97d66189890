#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace aitqe {

/// Where something stands in an order: by score, then by a hash that breaks ties.
struct Rank {
  double score = 0.0;  ///< not NaN
  std::uint64_t tie = 0;

  bool operator==(const Rank&) const = default;
  bool operator<(const Rank& other) const {
    return score != other.score ? score < other.score : tie < other.tie;
  }
  /// Stands where this stood in the order turned round.
  Rank reversed() const { return {-score, ~tie}; }
};

/// The lowest of many ranks in two passes, so that what they belong to need not be held: `add` all,
/// `close`, then ask `take` for each, in any order. 16 bytes a rank between the first `add` and
/// `close`, nothing after it. Of equal ranks at the border those asked for first are taken, so the
/// number is exact.
class LowestRanks {
 public:
  void add(const Rank& rank) { ranks_.push_back(rank); }
  std::size_t size() const { return ranks_.size(); }

  /// @param count  how many to take; all when there are fewer.
  void close(std::size_t count);

  /// Once for each rank that was added.
  bool take(const Rank& rank);

 private:
  std::deque<Rank> ranks_;       // grows without a second copy
  Rank border_;                  // the highest one that is taken
  std::size_t border_left_ = 0;  // equal to it and still to take
  bool takes_any_ = false;
};

}  // namespace aitqe
