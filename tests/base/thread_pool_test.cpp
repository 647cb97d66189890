#include "aitqe/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "aitqe/base/cores.h"

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

TEST(ThreadPool, ThrowsWhatACallThrewWhenNoneIsRunningAnyMore) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (const std::size_t culprit : {0U, 1U, 37U, 999U}) {
      std::atomic<int> running = 0;
      const auto body = [&](std::size_t i) {
        ++running;
        std::this_thread::sleep_for(std::chrono::microseconds(i == culprit ? 0 : 20));
        --running;
        if (i == culprit) throw std::runtime_error("chunk " + std::to_string(i));
      };
      try {
        pool.parallel_for(1000, body);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "chunk " + std::to_string(culprit));
      }
      EXPECT_EQ(running, 0);
    }
    std::atomic<int> calls = 0;
    pool.parallel_for(100, [&](std::size_t) { ++calls; });
    EXPECT_EQ(calls, 100) << "a loop after one that threw";
  }
}

TEST(ThreadPool, SurvivesManyShortLoops) {
  ThreadPool pool(2);
  std::atomic<int> total = 0;
  constexpr int kLoops = 100'000;  // their number comes round
  for (int loop = 0; loop < kLoops; ++loop) {
    pool.parallel_for(3, [&](std::size_t) { ++total; });
  }
  EXPECT_EQ(total.load(), 3 * kLoops);
}

TEST(ThreadPool, RunsEveryIndexWithMoreThreadsThanCores) {
  ThreadPool pool(usable_cores() + 3);
  std::atomic<int> total = 0;
  for (int loop = 0; loop < 500; ++loop) {
    pool.parallel_for(100, [&](std::size_t) { ++total; });
  }
  EXPECT_EQ(total.load(), 50'000);
}

TEST(ThreadPool, WakesHelpersThatSleepAndACallerThatDoes) {
  ThreadPool pool(3);
  for (int loop = 0; loop < 20; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // nobody looks so long
    std::latch all_at_work(3);
    pool.parallel_for(3, [&](std::size_t i) {
      all_at_work.arrive_and_wait();
      if (i != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  }
}

}  // namespace
}  // namespace aitqe
