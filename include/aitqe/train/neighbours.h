#pragma once

#include <ATen/ATen.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "aitqe/base/random.h"

namespace aitqe {

/// Which vectors lie nearest to each of a set, by cosine. Steps made of neighbours hold captions
/// that are nearly right for one another (Yuksekgonul et al., arXiv 2210.01936, section 4).
/// Immutable; any number of threads.
class Neighbours {
 public:
  static constexpr int kNearest = 12;
  /// From it on two captions say the same: each is right for the other's image.
  static constexpr double kSame = 0.9;

  Neighbours() = default;
  /// @param vectors  [N, D] f32 on the CPU, of any length; one of length 0 has no neighbours and is
  ///                 none
  explicit Neighbours(const at::Tensor& vectors);

  /// How many have neighbours.
  std::int64_t count() const;
  /// At most kNearest, the nearest first; all of them below kSame.
  const std::vector<std::size_t>& of(std::size_t index) const { return nearest_[index]; }
  /// Up to `count` of them, drawn without repetition, none of which says the same as another one:
  /// a function of `random` and of which ones they are, not of their order.
  std::vector<std::size_t> draw(std::size_t index, std::size_t count, Random random) const;

 private:
  at::Tensor unit_;  // [N, D] f32
  std::vector<std::vector<std::size_t>> nearest_;
};

}  // namespace aitqe
