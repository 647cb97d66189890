#include "aitqe/engine/engine.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <mutex>

#include "aitqe/base/error.h"
#include "aitqe/engine/logits.h"
#include "support/device.h"
#include "support/load_mllm.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using aitqe::test::compute;
using aitqe::test::load_mllm;
using aitqe::test::reference_dir;

/// Greedy; remembers all logits it saw.
class Greedy : public Guide {
 public:
  explicit Greedy(int count) : count_(count) {}

  std::optional<Feed> next(const LogitsRows& logits) override {
    seen.insert(seen.end(), logits.last().begin(), logits.last().end());
    ids.push_back(argmax(logits.last()));
    if (static_cast<int>(ids.size()) == count_) return std::nullopt;
    return Feed{{ids.back()}};
  }

  std::vector<std::int32_t> ids;
  std::vector<float> seen;

 private:
  int count_;
};

/// Greedy for four tokens, but looks ahead at others before each, and once starts over.
class Restless : public Guide {
 public:
  std::optional<Feed> next(const LogitsRows& logits) override {
    if (looking_) {
      EXPECT_EQ(logits.num_rows, 3);
      looking_ = false;
      ids.push_back(pending_);
      return Feed{{pending_}};
    }
    pending_ = argmax(logits.last());
    if (ids.size() == 2 && !started_over_) {
      started_over_ = true;
      ids.resize(1);
      return Feed{ids, Feed::From::Prompt};
    }
    if (ids.size() == 4) return std::nullopt;
    looking_ = true;
    return Feed{{3, 1, 4}, Feed::From::Here, /*keep=*/false};
  }

  std::vector<std::int32_t> ids;

 private:
  bool looking_ = false;
  bool started_over_ = false;
  std::int32_t pending_ = 0;
};

/// Greedy for six tokens, with wrong guesses behind each.
class Hasty : public Guide {
 public:
  std::optional<Feed> next(const LogitsRows& logits) override {
    seen.insert(seen.end(), logits.row(0).begin(), logits.row(0).end());
    ids.push_back(argmax(logits.row(0)));
    if (ids.size() == 6) return std::nullopt;
    Feed feed{{ids.back(), 3, 1}};
    feed.num_forgotten = ids.size() == 1 ? 0 : 2;
    return feed;
  }

  std::vector<std::int32_t> ids;
  std::vector<float> seen;
};

class Failing : public Guide {
 public:
  std::optional<Feed> next(const LogitsRows&) override { throw SampleError("odd: on purpose"); }
};

/// Asks its own question, then another about the same image.
class Curious : public Guide {
 public:
  explicit Curious(std::vector<std::int32_t> question) : question_(std::move(question)) {}

  std::optional<Feed> next(const LogitsRows& logits) override {
    if (!asked_) {
      asked_ = true;
      return Feed{question_, Feed::From::Image, /*keep=*/false, /*num_logits=*/2};
    }
    EXPECT_EQ(logits.num_rows, 2);
    seen.assign(logits.last().begin(), logits.last().end());
    return std::nullopt;
  }

  std::vector<float> seen;

 private:
  std::vector<std::int32_t> question_;
  bool asked_ = false;
};

std::vector<std::int32_t> prompt_of(std::int64_t number, const ModelConfig& config) {
  std::vector<std::int32_t> prompt(static_cast<std::size_t>(config.num_image_tokens),
                                   kImageFeature);
  for (std::int64_t i = 0; i < 3 + number * 7 % 11; ++i) {
    prompt.push_back(static_cast<std::int32_t>((number * 31 + i * 17) % 250));
  }
  return prompt;
}

Request request_of(std::int64_t number, const ModelConfig& config, std::unique_ptr<Guide> guide) {
  const std::int64_t side = config.image.side_px;
  const at::Tensor pixels =
      (at::arange(3 * side * side, at::kFloat) * 0.01F + static_cast<float>(number))
          .sin()
          .view({3, side, side});
  return {number, prompt_of(number, config), config.num_image_tokens, pixels, 16, std::move(guide)};
}

std::map<std::int64_t, std::vector<float>> run(const std::vector<std::int64_t>& numbers,
                                               SchedulerLimits limits, int num_threads,
                                               nn::Backend backend = nn::Backend::Kernels,
                                               std::int64_t most_new_tokens = 16,
                                               at::Device device = at::kCPU,
                                               at::ScalarType dtype = at::kFloat) {
  nn::Compute with = *compute(backend, num_threads, dtype);
  with.device = device;
  const auto model = load_mllm(reference_dir() / "grouped-bf16-sharded", with);
  Engine engine(*model, limits);
  std::map<std::int64_t, std::vector<float>> seen;
  std::size_t next = 0;
  engine.run(
      [&]() -> std::optional<Request> {
        if (next == numbers.size()) return std::nullopt;
        const std::int64_t number = numbers[next++];
        Request request = request_of(number, model->config(),
                                     std::make_unique<Greedy>(2 + static_cast<int>(number % 5)));
        request.max_new_tokens = most_new_tokens;
        return request;
      },
      [&](Finished finished) {
        EXPECT_EQ(finished.failure, "");
        seen[finished.id] = static_cast<Greedy&>(*finished.guide).seen;
      });
  return seen;
}

TEST(Engine, GivesEverySequenceTheSameBitsInAnyCompany) {
  const std::vector<std::int64_t> forward{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<std::int64_t> shuffled{7, 2, 9, 0, 4, 1, 8, 3, 6, 5};
  const auto alone = run(forward, {1, 1, 1 << 20}, 1);
  ASSERT_EQ(alone.size(), 10U);
  EXPECT_EQ(run(forward, {3, 64, 1 << 20}, 2), alone);
  EXPECT_EQ(run(shuffled, {16, 2048, 1 << 20}, 2), alone);
  EXPECT_EQ(run(shuffled, {4, 100, 300}, 1), alone);
}

TEST(Engine, GivesEverySequenceTheSameBitsInAnyCompanyInBf16) {
  const std::vector<std::int64_t> forward{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::vector<std::int64_t> shuffled{7, 2, 9, 0, 4, 1, 8, 3, 6, 5};
  const auto in_bf16 = [](const std::vector<std::int64_t>& numbers, SchedulerLimits limits,
                          int num_threads) {
    return run(numbers, limits, num_threads, nn::Backend::Kernels, 16, at::kCPU, at::kBFloat16);
  };
  const auto alone = in_bf16(forward, {1, 1, 1 << 20}, 1);
  ASSERT_EQ(alone.size(), 10U);
  EXPECT_EQ(in_bf16(forward, {3, 64, 1 << 20}, 2), alone);
  EXPECT_EQ(in_bf16(shuffled, {16, 2048, 1 << 20}, 5), alone);
}

/// Logits by number.
void expect_near(const std::map<std::int64_t, std::vector<float>>& seen,
                 const std::map<std::int64_t, std::vector<float>>& expected) {
  ASSERT_EQ(seen.size(), expected.size());
  for (const auto& [number, logits] : seen) {
    ASSERT_EQ(logits.size(), expected.at(number).size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], expected.at(number)[i], 1e-3F) << number;
    }
  }
}

/// While it lives, libtorch's memory on the CPU is limited to a budget, once it is
/// set. One at a time.
class MemoryBudget : public c10::Allocator {
 public:
  MemoryBudget() { c10::SetAllocator(c10::kCPU, this, kPriority); }
  ~MemoryBudget() override { c10::SetAllocator(c10::kCPU, &unlimited_, kPriority); }

  /// What may be taken beyond what is in use.
  void limit(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    left_ = bytes;
  }

  c10::DataPtr allocate(std::size_t size) override {
    const std::lock_guard lock(mutex_);
    if (size > left_) {
      ++refused;
      TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory");
    }
    void* memory = std::aligned_alloc(kAlignment, (size / kAlignment + 1) * kAlignment);
    left_ -= size;
    sizes_[memory] = size;
    lender_ = this;
    return {memory, memory, &MemoryBudget::give_back, c10::kCPU};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &MemoryBudget::give_back; }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    default_copy_data(to, from, size);
  }

  int refused = 0;

 private:
  static void give_back(void* memory) {
    const std::lock_guard lock(lender_->mutex_);
    lender_->left_ += lender_->sizes_.at(memory);
    lender_->sizes_.erase(memory);
    std::free(memory);
  }

  static constexpr std::uint8_t kPriority = 1;
  static constexpr std::size_t kAlignment = 64;
  static inline MemoryBudget* lender_ = nullptr;
  c10::Allocator& unlimited_ = *c10::GetDefaultCPUAllocator();
  std::mutex mutex_;
  std::size_t left_ = std::size_t{1} << 40;
  std::map<void*, std::size_t> sizes_;
};

class EngineOn : public ::testing::TestWithParam<nn::Backend> {};

TEST_P(EngineOn, GivesTheSameWhereStepsDoNotFitIntoMemory) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(GetParam(), /*num_threads=*/2));
  const auto run_with = [&](Engine& engine) {
    std::int64_t number = 0;
    std::map<std::int64_t, std::vector<float>> seen;
    engine.run(
        [&]() -> std::optional<Request> {
          if (number == 12) return std::nullopt;
          auto guide = std::make_unique<Greedy>(2 + static_cast<int>(number % 5));
          return request_of(number++, model->config(), std::move(guide));
        },
        [&](Finished finished) {
          EXPECT_EQ(finished.failure, "");
          seen[finished.id] = static_cast<Greedy&>(*finished.guide).seen;
        });
    return seen;
  };
  const SchedulerLimits limits{12, 2048, 1 << 20};
  Engine unlimited(*model, limits);
  const auto expected = run_with(unlimited);
  EXPECT_EQ(unlimited.limits(), limits);
  int halved = 0;
  int impossible = 0;
  for (std::size_t budget = 64'000'000; budget > 100'000; budget = budget * 4 / 5) {
    MemoryBudget memory;
    Engine engine(*model, limits);
    memory.limit(budget);
    try {
      const auto seen = run_with(engine);
      if (GetParam() == nn::Backend::Kernels) {
        EXPECT_EQ(seen, expected) << budget;
      } else {
        expect_near(seen, expected);
      }
      EXPECT_EQ(impossible, 0) << "more memory was too little, " << budget << " is enough";
      const bool is_lower = engine.limits() != limits;
      EXPECT_TRUE(!is_lower || memory.refused > 0) << budget;
      if (is_lower) ++halved;
    } catch (const c10::OutOfMemoryError&) {
      ++impossible;
    }
  }
  EXPECT_GT(halved, 2);
  EXPECT_GT(impossible, 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, EngineOn,
                         testing::Values(nn::Backend::Kernels, nn::Backend::Fused),
                         [](const auto& backend) {
                           return backend.param == nn::Backend::Kernels ? "Kernels" : "Fused";
                         });

TEST(Engine, GivesSequencesOfOnePoolWhatSeparateCachesGiveThem) {
  const std::vector<std::int64_t> numbers{7, 2, 9, 0, 4, 1, 8, 3, 6, 5};
  const auto expected = run(numbers, {16, 2048, 1 << 20}, 1);
  // With room for 8000 tokens set aside three fill the pool: the others wait for one to end.
  for (const auto& [limits, most_new_tokens] : std::vector<std::pair<SchedulerLimits, int>>{
           {{16, 2048, 1 << 20}, 16}, {{3, 64, 4096}, 16}, {{16, 2048, 1 << 20}, 8000}}) {
    expect_near(run(numbers, limits, 1, nn::Backend::Fused, most_new_tokens), expected);
  }
}

TEST(Engine, GivesSequencesOnAGpuAboutWhatTheyGetOnACpu) {
  const auto device = test::device_if_there("cuda");
  if (!device) GTEST_SKIP() << "no cuda device here";
  if (!nn::has_fused_kernels(*device)) GTEST_SKIP() << "built without CUDA kernels";
  const std::vector<std::int64_t> numbers{7, 2, 9, 0, 4, 1, 8, 3, 6, 5};
  const auto expected = run(numbers, {16, 2048, 1 << 20}, 1);
  for (const auto& [number, logits] :
       run(numbers, {16, 2048, 1 << 20}, 1, nn::Backend::Fused, 16, *device)) {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], expected.at(number)[i], 1e-2F) << number;
    }
  }
}

std::unique_ptr<Guide> run_alone(const Mllm& model, std::unique_ptr<Guide> guide) {
  Engine engine(model, {});
  std::unique_ptr<Guide> finished_guide;
  bool given = false;
  engine.run(
      [&]() -> std::optional<Request> {
        if (std::exchange(given, true)) return std::nullopt;
        return request_of(5, model.config(), std::move(guide));
      },
      [&](Finished finished) { finished_guide = std::move(finished.guide); });
  return finished_guide;
}

TEST(Engine, ForgetsLooksAheadAndGoesBackToThePrompt) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const auto greedy = run_alone(*model, std::make_unique<Greedy>(4));
  const auto restless = run_alone(*model, std::make_unique<Restless>());
  EXPECT_EQ(static_cast<Restless&>(*restless).ids, static_cast<Greedy&>(*greedy).ids);
}

TEST(Engine, ForgetsWhatWasGuessedWrong) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const auto greedy = run_alone(*model, std::make_unique<Greedy>(6));
  const auto hasty = run_alone(*model, std::make_unique<Hasty>());
  EXPECT_EQ(static_cast<Hasty&>(*hasty).seen, static_cast<Greedy&>(*greedy).seen);  // every bit
}

TEST(Engine, LetsTheOthersGoOnWhenOneSequenceFails) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  Engine engine(*model, {4, 2048, 1 << 20});
  std::map<std::int64_t, std::string> failures;
  std::int64_t next = 0;
  engine.run(
      [&]() -> std::optional<Request> {
        if (next == 4) return std::nullopt;
        const std::int64_t number = next++;
        if (number == 1) return request_of(number, model->config(), std::make_unique<Failing>());
        Request request =
            request_of(number, model->config(), std::make_unique<Greedy>(number == 3 ? 40 : 3));
        if (number == 2) request.prompt.resize(100'000, 7);
        return request;
      },
      [&](Finished finished) { failures[finished.id] = finished.failure; });
  EXPECT_EQ(failures.size(), 4U);
  EXPECT_EQ(failures[0], "");
  EXPECT_EQ(failures[1], "odd: on purpose");
  EXPECT_TRUE(failures[2].starts_with("prompt_too_long: ")) << failures[2];
}

TEST(Engine, AnswersAnotherQuestionAboutAnImageAsIfItHadBeenTheFirst) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const ModelConfig& config = model->config();
  const std::vector<std::int32_t> other = prompt_of(5, config);
  const std::vector<std::int32_t> question(other.begin() + config.num_image_tokens, other.end());
  Engine engine(*model, {4, 2048, 1 << 20});
  std::map<std::int64_t, std::vector<float>> seen;
  std::int64_t next = 0;
  engine.run(
      [&]() -> std::optional<Request> {
        const std::int64_t number = next++;
        if (number > 1) return std::nullopt;
        if (number == 0) return request_of(3, config, std::make_unique<Curious>(question));
        Request request = request_of(3, config, std::make_unique<Greedy>(1));  // the same image
        request.id = 9;
        request.prompt = other;
        return request;
      },
      [&](Finished finished) {
        EXPECT_EQ(finished.failure, "");
        seen[finished.id] = finished.id == 9 ? static_cast<Greedy&>(*finished.guide).seen
                                             : static_cast<Curious&>(*finished.guide).seen;
      });
  ASSERT_FALSE(seen[9].empty());
  EXPECT_EQ(seen[3], seen[9]);
}

}  // namespace
}  // namespace aitqe
