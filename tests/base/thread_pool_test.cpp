#include "aitqe/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace aitqe {
namespace {

TEST(ThreadPool, RunsEveryIndexOnceForAnyNumberOfThreads) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (const std::size_t count : {0, 1, 2, 1000}) {
      std::vector<std::atomic<int>> calls(count);
      pool.parallel_for(count, [&](std::size_t i) { ++calls[i]; });
      for (const auto& n : calls) EXPECT_EQ(n.load(), 1);
    }
  }
}

TEST(ThreadPool, SurvivesManyShortLoops) {
  ThreadPool pool(3);
  std::atomic<int> total = 0;
  for (int loop = 0; loop < 2000; ++loop) {
    pool.parallel_for(3, [&](std::size_t) { ++total; });
  }
  EXPECT_EQ(total.load(), 6000);
}

}  // namespace
}  // namespace aitqe
