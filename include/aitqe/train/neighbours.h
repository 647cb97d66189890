#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

/// Which vectors lie nearest to each of a set, by cosine. Steps made of neighbours hold captions
/// that are nearly right for one another (Yuksekgonul et al., arXiv 2210.01936, section 4).
/// Immutable; any number of threads.
class Neighbours {
 public:
  static constexpr int kNearest = 12;
  /// Above it two captions say the same: each is right for the other's image.
  static constexpr double kSame = 0.9;

  Neighbours() = default;
  /// @param vectors  [N, D] f32, of any length; one of length 0 has no neighbours and is none
  explicit Neighbours(const at::Tensor& vectors);

  bool empty() const { return nearest_.empty(); }
  /// At most kNearest, the nearest first; all of them below kSame.
  const std::vector<std::size_t>& of(std::size_t index) const { return nearest_[index]; }
  /// Up to `count` of them, drawn without repetition: a function of `random` alone.
  std::vector<std::size_t> draw(std::size_t index, std::size_t count, Random random) const;

 private:
  std::vector<std::vector<std::size_t>> nearest_;
};

}  // namespace aitqe
