#include "aitqe/base/stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace aitqe {
namespace {

std::function<std::optional<int>()> counting_to(int end) {
  auto next = std::make_shared<int>(0);
  return [next, end]() -> std::optional<int> {
    if (*next == end) return std::nullopt;
    return (*next)++;
  };
}

TEST(ParallelMap, KeepsTheOrderOfTheSource) {
  for (const int num_workers : {1, 2, 4}) {
    ParallelMap<int, int> squares(
        counting_to(500), [](int i) { return i * i; }, num_workers, 7);
    for (int i = 0; i < 500; ++i) EXPECT_EQ(squares.next(), i * i);
    EXPECT_EQ(squares.next(), std::nullopt);
  }
}

TEST(ParallelMap, ReadsAheadNoFurtherThanItsCapacity) {
  std::atomic<int> pulled = 0;
  ParallelMap<int, int> map(
      [&]() -> std::optional<int> {
        const int i = pulled++;
        return i < 100 ? std::optional(i) : std::nullopt;
      },
      [](int i) { return i; }, 3, 5);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(map.next(), i);
    EXPECT_LE(pulled.load(), i + 1 + 5 + 1);
  }
}

TEST(ParallelMap, ThrowsAtTheItemThatFailed) {
  ParallelMap<int, int> map(
      counting_to(5), [](int i) { return i == 2 ? throw std::runtime_error("two") : i; }, 2, 4);
  EXPECT_EQ(map.next(), 0);
  EXPECT_EQ(map.next(), 1);
  EXPECT_THROW(map.next(), std::runtime_error);
  EXPECT_EQ(map.next(), 3);
}

TEST(ParallelMap, MayBeLeftBeforeTheEnd) {
  ParallelMap<int, int> map(
      counting_to(1000), [](int i) { return i; }, 2, 4);
  EXPECT_EQ(map.next(), 0);
}

}  // namespace
}  // namespace aitqe
