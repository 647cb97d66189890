#include "aitqe/pipeline/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "aitqe/base/error.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

PreparedSample prepared(std::int64_t index, const LoadedModel& model) {
  PreparedSample sample;
  sample.sample.index = index;
  if (index % 3 == 1) {
    sample.failure = RowFailure{"image", "broken: on purpose"};
    return sample;
  }
  sample.prompt = model.prompts
                      ->build("caption " + std::string(static_cast<std::size_t>(index), 'x'),
                              CaptionSpecials::AsText)
                      .ids;
  sample.pixels.side_px = model.image_side_px;
  sample.pixels.chw.assign(static_cast<std::size_t>(3 * model.image_side_px * model.image_side_px),
                           static_cast<float>(index) * 0.1F);
  return sample;
}

constexpr std::int64_t kNumSamples = 20;

struct Judged {
  std::vector<AssessedSample> samples;
  EngineTimes times;
  std::vector<std::string> events;  ///< "answered 3 of 7 tokens", "done 3"
};

const std::filesystem::path kReference = aitqe::test::reference_dir() / "drop-first-mixed";

LoadedModel load(const std::filesystem::path& folder, const std::string& device = "auto") {
  ModelOptions options;
  options.folder = folder;
  options.device = device;
  return load_model(options);
}

/// All samples through a model on `device`. @param batch_pairs  whole batches of so many; 0: none
Judged judge_all(const std::string& device, std::int64_t batch_pairs,
                 const std::function<std::optional<Answer>(std::int64_t)>& known = {}) {
  const LoadedModel model = load(kReference, device);
  JudgeOptions options;
  options.limits = choose_limits(model, 4, 100);
  options.max_new_tokens = 6;
  options.batch_pairs = batch_pairs;
  Judge judge(model, options);
  EXPECT_EQ(judge.batch_pairs(), batch_pairs);
  std::int64_t next = 0;
  Judged judged;
  judge.run(
      [&]() -> std::optional<Question> {
        if (next == kNumSamples) return std::nullopt;
        const bool begins_batch = batch_pairs > 0 && next % batch_pairs == 0;
        Question question{prepared(next, model), {}, {}, begins_batch};
        if (known) question.known = known(next);
        question.answered = [&judged](const AssessedSample& sample) {
          judged.events.push_back("answered " + std::to_string(sample.prepared.sample.index) +
                                  " of " + std::to_string(sample.answer.ids.size()) + " tokens");
        };
        ++next;
        return question;
      },
      [&](AssessedSample sample) {
        judged.events.push_back("done " + std::to_string(sample.prepared.sample.index));
        judged.samples.push_back(std::move(sample));
      });
  judged.times = judge.times();
  return judged;
}

TEST(Judge, GivesSamplesBackInOrderAndLeavesFailedOnesAlone) {
  const Judged judged = judge_all("cpu", 0);
  ASSERT_EQ(judged.samples.size(), kNumSamples);
  for (std::int64_t i = 0; i < kNumSamples; ++i) {
    const AssessedSample& sample = judged.samples[static_cast<std::size_t>(i)];
    EXPECT_EQ(sample.prepared.sample.index, i);
    EXPECT_EQ(sample.prepared.failure.has_value(), i % 3 == 1);
    EXPECT_EQ(sample.answer.ids.empty(), i % 3 == 1);
  }
  EXPECT_GT(judged.times.prompt_tokens, 0);
}

TEST(Judge, GivesTheSameAnswersOnAnyNumberOfDevices) {
  const Judged one = judge_all("cpu", 0);
  for (const std::string device : {"cpu,cpu", "cpu,cpu,cpu"}) {
    for (const std::int64_t batch_pairs : {0, 1, 5, 50}) {
      const Judged several = judge_all(device, batch_pairs);
      ASSERT_EQ(several.samples.size(), kNumSamples) << device << batch_pairs;
      for (std::size_t i = 0; i < several.samples.size(); ++i) {
        EXPECT_EQ(several.samples[i].prepared.sample.index, static_cast<std::int64_t>(i));
        EXPECT_EQ(several.samples[i].answer.ids, one.samples[i].answer.ids)
            << device << batch_pairs;
        EXPECT_EQ(several.samples[i].answer.p_rewrite, one.samples[i].answer.p_rewrite);
      }
      EXPECT_EQ(several.times.prompt_tokens, one.times.prompt_tokens);
    }
  }
}

TEST(Judge, TellsOfAnAnswerAtOnceAndNotWhenItsTurnComes) {
  for (const std::string device : {"cpu", "cpu,cpu"}) {
    const Judged judged = judge_all(device, 0);
    const auto place_of = [&judged](const std::string& event) {
      const auto found = std::find(judged.events.begin(), judged.events.end(), event);
      EXPECT_NE(found, judged.events.end()) << event;
      EXPECT_EQ(std::count(found, judged.events.end(), event), 1) << event;
      return found;
    };
    for (const AssessedSample& sample : judged.samples) {
      const std::string index = std::to_string(sample.prepared.sample.index);
      EXPECT_LT(place_of("answered " + index + " of " + std::to_string(sample.answer.ids.size()) +
                         " tokens"),
                place_of("done " + index));
    }
    // It needs no answer, and the one before it does.
    EXPECT_LT(place_of("answered 1 of 0 tokens"), place_of("done 0"));
    EXPECT_EQ(judged.events.size(), 2 * kNumSamples);
  }
}

TEST(Judge, LetsNotAnyNumberOfSamplesWaitForOneBeforeThem) {
  constexpr std::int64_t kMany = 9000;
  constexpr std::int64_t kMostWaiting = 4096;
  const LoadedModel model = load(kReference);
  JudgeOptions options;
  options.limits = choose_limits(model, 4, 100);
  options.max_new_tokens = 6;
  Judge judge(model, options);
  std::int64_t num_asked = 0;
  std::int64_t num_done = 0;
  std::int64_t most_waiting = 0;
  judge.run(
      [&]() -> std::optional<Question> {
        if (num_asked == kMany) return std::nullopt;
        most_waiting = std::max(most_waiting, num_asked - num_done);
        // Only the first needs the model.
        Question question{prepared(num_asked == 0 ? 0 : 1, model), {}, {}, false};
        ++num_asked;
        return question;
      },
      [&](const AssessedSample&) { ++num_done; });
  EXPECT_EQ(num_done, kMany);
  EXPECT_GT(most_waiting, kMostWaiting / 2);
  EXPECT_LE(most_waiting, kMostWaiting);
}

TEST(Judge, DoesNotAskForAnswersThatAreKnown) {
  const Judged judged = judge_all("cpu", 0, [](std::int64_t index) -> std::optional<Answer> {
    if (index % 2 == 1) return std::nullopt;
    Answer answer;
    answer.text = "known " + std::to_string(index);
    return answer;
  });
  const Judged all = judge_all("cpu", 0);
  for (std::int64_t i = 0; i < kNumSamples; ++i) {
    const AssessedSample& sample = judged.samples[static_cast<std::size_t>(i)];
    EXPECT_EQ(sample.answer.text == "known " + std::to_string(i), i % 2 == 0);
  }
  EXPECT_LT(judged.times.prompt_tokens, all.times.prompt_tokens);
}

TEST(Judge, EndsAllDevicesWhenTheInputOrTheOutputThrows) {
  const LoadedModel model = load(kReference, "cpu,cpu");
  JudgeOptions options;
  options.limits = choose_limits(model, 4, 100);
  options.max_new_tokens = 6;
  for (const bool input_throws : {true, false}) {
    Judge judge(model, options);
    std::int64_t next = 0;
    const auto ask = [&]() -> std::optional<Question> {
      if (input_throws && next == 9) throw Error(ErrorCategory::NoInput, "on purpose");
      return Question{prepared(next++, model), {}, {}, false};
    };
    EXPECT_THAT(aitqe::test::message_of([&] {
                  judge.run(ask, [&](const AssessedSample& sample) {
                    if (!input_throws && sample.prepared.sample.index == 9) {
                      throw Error(ErrorCategory::Output, "on purpose");
                    }
                  });
                }),
                "on purpose");
  }
}

TEST(Judge, EndsAnswersWhereTheUserOrElseTheModelSays) {
  const aitqe::test::TemporaryFolder folder;
  std::filesystem::copy(kReference, folder / "brief", std::filesystem::copy_options::recursive);
  folder.write("brief/aitqe.json", R"({"answer": {"max_new_tokens": 3}})");
  const LoadedModel brief = load(folder / "brief");
  const auto longest = [&brief](std::optional<int> wish) {
    JudgeOptions options;
    options.limits = choose_limits(brief, 4, 100);
    options.max_new_tokens = wish;
    std::size_t most = 0;
    std::int64_t next = 0;
    Judge(brief, options)
        .run(
            [&]() -> std::optional<Question> {
              if (next == kNumSamples) return std::nullopt;
              return Question{prepared(next++, brief), {}, {}, false};
            },
            [&most](const AssessedSample& sample) {
              most = std::max(most, sample.answer.ids.size());
            });
    return most;
  };
  EXPECT_EQ(longest(std::nullopt), 3);
  EXPECT_EQ(longest(5), 5);
}

TEST(ChooseLimits, FollowsTheUserWhereTheUserSpoke) {
  const LoadedModel model = load(kReference);
  EXPECT_EQ(choose_limits(model, 3, 77).max_sequences, 3);
  EXPECT_EQ(choose_limits(model, 3, 77).batch_tokens, 77);
  EXPECT_GT(choose_limits(model, 0, 0).max_kv_tokens, 1000);
}

}  // namespace
}  // namespace aitqe
