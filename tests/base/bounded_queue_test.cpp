#include "aitqe/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

namespace aitqe {
namespace {

TEST(BoundedQueue, HandsOverInOrderAndDrainsAfterClose) {
  BoundedQueue<int> queue(4);
  EXPECT_TRUE(queue.push(1));
  EXPECT_TRUE(queue.push(2));
  queue.close();
  EXPECT_FALSE(queue.push(3));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 2);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, NeverHoldsMoreThanItsCapacity) {
  BoundedQueue<std::unique_ptr<int>> queue(2);
  std::atomic<int> pushed = 0;
  std::jthread producer([&] {
    for (int i = 0; i < 100; ++i) {
      queue.push(std::make_unique<int>(i));
      ++pushed;
    }
    queue.close();
  });
  int expected = 0;
  while (auto item = queue.pop()) {
    EXPECT_EQ(**item, expected++);
    EXPECT_LE(pushed.load(), expected + 3);
  }
  EXPECT_EQ(expected, 100);
}

TEST(BoundedQueue, CloseWakesAWaitingConsumer) {
  BoundedQueue<int> queue(1);
  std::jthread closer([&] { queue.close(); });
  EXPECT_EQ(queue.pop(), std::nullopt);
}

}  // namespace
}  // namespace aitqe
