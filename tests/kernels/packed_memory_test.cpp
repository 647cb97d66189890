#include "kernels/packed_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace aitqe::kernels {
namespace {

using Memory = std::shared_ptr<std::uint32_t[]>;

TEST(PackedMemory, GivesEveryWeightItsOwnAlignedToACacheLine) {
  std::vector<Memory> taken;
  const std::size_t sizes[] = {1, 17, 1 << 20, 3, std::size_t{20} << 20, 5};  // the fifth: 80 MB
  for (const std::size_t size : sizes) {
    taken.push_back(take_packed_memory(size));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(taken.back().get()) % 64, 0U);
    std::fill_n(taken.back().get(), size, static_cast<std::uint32_t>(taken.size()));
  }
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto* words = taken[i].get();
    EXPECT_TRUE(
        std::all_of(words, words + sizes[i], [&](std::uint32_t word) { return word == i + 1; }));
  }
}

TEST(PackedMemory, StaysWhenTheWeightsBesideItGo) {
  Memory first = take_packed_memory(100);
  Memory second = take_packed_memory(100);
  std::fill_n(second.get(), 100, 7U);
  first.reset();
  std::fill_n(take_packed_memory(100).get(), 100, 9U);
  EXPECT_TRUE(
      std::all_of(second.get(), second.get() + 100, [](std::uint32_t w) { return w == 7; }));
}

}  // namespace
}  // namespace aitqe::kernels
