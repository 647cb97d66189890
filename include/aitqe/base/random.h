#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace aitqe {

/// Finalizer of SplitMix64: every bit of the input moves every bit of the output.
std::uint64_t mix_bits(std::uint64_t value);

/// 64 bits of a text, going on from `seed`. The same on every machine; not for hostile input.
std::uint64_t hash_text(std::string_view text, std::uint64_t seed);

/// Numbers that look random and depend on the seed alone, the same on every machine and with every
/// library (SplitMix64). One thread at a time.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next();
  /// In [0, count). @param count  at least 1.
  std::size_t below(std::size_t count);
  /// In [low, high], both ends included.
  int between(int low, int high);
  /// In [0, 1).
  double unit();

  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }

  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(left)]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace aitqe
