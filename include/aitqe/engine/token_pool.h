#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace aitqe {

/// Which rows of a pool are taken: runs of rows, each the first that fits. One thread at a time.
class TokenPool {
 public:
  explicit TokenPool(std::int64_t num_rows);

  /// The first row of `count` rows in a run, or nothing while no gap is that long.
  std::optional<std::int64_t> take(std::int64_t count);
  /// Whether take(count) would find a gap.
  bool has(std::int64_t count) const;
  /// Gives back what was taken, as one or in parts.
  void give_back(std::int64_t first_row, std::int64_t count);

 private:
  std::map<std::int64_t, std::int64_t> gaps_;  // first row -> rows; none touches another
};

}  // namespace aitqe
