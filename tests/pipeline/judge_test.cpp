#include "aitqe/pipeline/judge.h"

#include <gtest/gtest.h>

#include "support/reference.h"

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

TEST(Judge, GivesSamplesBackInOrderAndLeavesFailedOnesAlone) {
  ModelOptions model_options;
  model_options.folder = aitqe::test::reference_dir() / "drop-first-mixed";
  const LoadedModel model = load_model(model_options);
  JudgeOptions options;
  options.limits = choose_limits(model, 4, 100);
  options.max_new_tokens = 6;
  Judge judge(model, options);
  std::int64_t next = 0;
  std::int64_t expected = 0;
  judge.run(
      [&]() -> std::optional<PreparedSample> {
        if (next == 20) return std::nullopt;
        return prepared(next++, model);
      },
      [](const PreparedSample&) { return AnswerOrder(); },
      [&](AssessedSample sample) {
        EXPECT_EQ(sample.prepared.sample.index, expected);
        EXPECT_EQ(sample.prepared.failure.has_value(), expected % 3 == 1);
        EXPECT_EQ(sample.answer.ids.empty(), expected % 3 == 1);
        ++expected;
      });
  EXPECT_EQ(expected, 20);
  EXPECT_GT(judge.times().prompt_tokens, 0);
}

TEST(ChooseLimits, FollowsTheUserWhereTheUserSpoke) {
  ModelOptions model_options;
  model_options.folder = aitqe::test::reference_dir() / "drop-first-mixed";
  const LoadedModel model = load_model(model_options);
  EXPECT_EQ(choose_limits(model, 3, 77).max_sequences, 3);
  EXPECT_EQ(choose_limits(model, 3, 77).batch_tokens, 77);
  EXPECT_GT(choose_limits(model, 0, 0).max_kv_tokens, 1000);
}

}  // namespace
}  // namespace aitqe
