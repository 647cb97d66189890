#include "pipeline/question_feed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

namespace aitqe {
namespace {

/// What engines saw of a stream, and what came out of it.
struct Seen {
  std::map<std::int64_t, std::vector<std::int64_t>>
      batches;                                               ///< places, in the order of their runs
  std::map<std::int64_t, std::vector<std::size_t>> engines;  ///< that had part in a batch
  std::vector<std::int64_t> done;
};

/// Engines that take as long as chance has it: several pairs at once, finished in any order.
Seen run(std::size_t num_engines, std::int64_t num_pairs, std::int64_t batch_pairs, unsigned seed) {
  std::int64_t next_index = 0;
  const Judge::Next next = [&]() -> std::optional<Question> {
    if (next_index == num_pairs) return std::nullopt;
    Question question;
    question.begins_batch = batch_pairs > 0 && next_index % batch_pairs == 0;
    question.prepared.sample.index = next_index;
    // Some need no model, whatever batch they are in.
    if (next_index % 7 == 3) question.prepared.failure = RowFailure{"image", "broken"};
    ++next_index;
    return question;
  };
  Seen seen;
  const Judge::Done done = [&seen](const AssessedSample& sample) {
    seen.done.push_back(sample.prepared.sample.index);
  };
  QuestionFeed feed(
      next, done, num_engines,
      batch_pairs > 0 ? QuestionFeed::Share::WholeBatches : QuestionFeed::Share::Singles);
  std::mutex mutex;
  const auto work = [&](std::size_t engine) {
    std::mt19937 random(seed + static_cast<unsigned>(engine));
    while (feed.begin_batch(engine)) {
      std::vector<std::int64_t> in_hand;
      const auto finish_one = [&] {
        const auto chosen =
            in_hand.begin() + static_cast<std::ptrdiff_t>(random() % in_hand.size());
        feed.finish(*chosen);
        in_hand.erase(chosen);
      };
      while (const auto task = feed.next(engine)) {
        {
          const std::lock_guard lock(mutex);
          seen.batches[task->batch].push_back(task->place);
          seen.engines[task->batch].push_back(engine);
        }
        in_hand.push_back(task->place);
        if (random() % 4 == 0)
          std::this_thread::sleep_for(std::chrono::microseconds(random() % 200));
        while (!in_hand.empty() && random() % 3 == 0) finish_one();
      }
      while (!in_hand.empty()) finish_one();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < num_engines; ++i) threads.emplace_back(work, i);
  }
  feed.rethrow();
  return seen;
}

TEST(QuestionFeed, GivesABatchToOneEngineWithTheSamePairsInTheSameOrder) {
  constexpr std::int64_t kPairs = 200;
  for (const std::int64_t batch_pairs : {1, 5, 32, 500}) {
    const Seen one = run(1, kPairs, batch_pairs, 1);
    for (const std::size_t num_engines : {1U, 2U, 3U}) {
      for (const unsigned seed : {1U, 2U, 3U}) {
        const Seen several = run(num_engines, kPairs, batch_pairs, seed);
        EXPECT_EQ(several.batches, one.batches) << num_engines << " engines, " << batch_pairs;
        for (const auto& [batch, engines] : several.engines) {
          EXPECT_EQ(std::count(engines.begin(), engines.end(), engines.front()),
                    std::ssize(engines))
              << "batch " << batch << " was split";
        }
      }
    }
  }
}

TEST(QuestionFeed, GivesEveryPairOnceAndHandsAllOnInOrder) {
  constexpr std::int64_t kPairs = 300;
  for (const std::int64_t batch_pairs : {0, 8}) {
    for (const std::size_t num_engines : {1U, 2U, 4U}) {
      const Seen seen = run(num_engines, kPairs, batch_pairs, 1);
      std::vector<std::int64_t> asked;
      for (const auto& [batch, places] : seen.batches) {
        asked.insert(asked.end(), places.begin(), places.end());
      }
      std::ranges::sort(asked);
      std::vector<std::int64_t> to_ask;
      std::vector<std::int64_t> all;
      for (std::int64_t i = 0; i < kPairs; ++i) {
        all.push_back(i);
        if (i % 7 != 3) to_ask.push_back(i);
      }
      EXPECT_EQ(asked, to_ask);
      EXPECT_EQ(seen.done, all);
    }
  }
}

TEST(QuestionFeed, LetsEveryEngineEndWhenOneFails) {
  const Judge::Next next = [] { return Question{}; };  // without end
  const Judge::Done done = [](const AssessedSample&) {};
  QuestionFeed feed(next, done, 3, QuestionFeed::Share::Singles);
  const auto work = [&feed](std::size_t engine) {
    while (feed.begin_batch(engine)) {
      while (const auto task = feed.next(engine)) {
        if (engine == 1 && task->place > 50) {
          feed.fail(std::make_exception_ptr(std::runtime_error("lost")));
          return;
        }
        feed.finish(task->place);
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < 3; ++i) threads.emplace_back(work, i);
  }
  EXPECT_THROW(feed.rethrow(), std::runtime_error);
}

}  // namespace
}  // namespace aitqe
