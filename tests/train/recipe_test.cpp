#include "aitqe/train/recipe.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kGood = R"(
model = "models/base"
dtype = "f32"
seed = 3
save_every_steps = 10

[[stage]]
name = "judge"
task = "judge"
shards = ["training/{00000..00003}.tar"]
num_steps = 500
images_per_step = 8
accumulate = 2
rank_weight = 0.5
[[stage.train]]
tensors = "mm_projector.*"
learning_rate = 3e-4
[[stage.lora]]
modules = "model.model.layers.*"
rank = 8
alpha = 16
)";

class RecipeTest : public ::testing::Test {
 protected:
  Recipe read(const std::string& text) {
    folder_.write("recipe.toml", text);
    return Recipe::read(folder_ / "recipe.toml");
  }
  std::string complaint(const std::string& find, const std::string& put) {
    std::string text = kGood;
    text.replace(text.find(find), find.size(), put);
    return test::message_of([&] { read(text); });
  }
  test::TemporaryFolder folder_;
};

TEST_F(RecipeTest, ReadsStagesWithWhatTheyTrain) {
  const Recipe recipe = read(kGood);
  EXPECT_EQ(recipe.model, "models/base");
  EXPECT_EQ(recipe.seed, 3U);
  ASSERT_EQ(recipe.stages.size(), 1U);
  const StageOptions& stage = recipe.stages[0];
  EXPECT_EQ(stage.task, StageTask::Judge);
  EXPECT_THAT(stage.shards, ElementsAre("training/{00000..00003}.tar"));
  EXPECT_EQ(stage.rank_weight, 0.5);
  ASSERT_EQ(stage.train.size(), 1U);
  EXPECT_EQ(stage.train[0].learning_rate, 3e-4);
  ASSERT_EQ(stage.lora.size(), 1U);
  EXPECT_EQ(stage.lora[0].lora.rank, 8);
  EXPECT_EQ(stage.clip_norm, 1.0);  // the default
}

TEST_F(RecipeTest, NamesTheKeyThatIsWrong) {
  EXPECT_THAT(complaint("num_steps", "num_step"), HasSubstr("unknown key \"num_step\""));
  EXPECT_THAT(complaint("500", "0"), HasSubstr("num_steps: expected a whole number of at least 1"));
  EXPECT_THAT(complaint("\"judge\"\nshards", "\"teach\"\nshards"),
              HasSubstr("task: expected \"align\", \"caption\" or \"judge\""));
  EXPECT_THAT(complaint("0.5", "-1"), HasSubstr("rank_weight: expected a number of at least 0"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 3"), HasSubstr("a multiple of accumulate"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 2\nswapped_captions = 4"),
              HasSubstr("swapped_captions to be below"));
  EXPECT_THAT(complaint("model = \"models/base\"", ""), HasSubstr("the folder to start from"));
  EXPECT_THAT(complaint("task = \"judge\"", "task = \"align\""), HasSubstr("vectors"));
  EXPECT_THAT(complaint("task = \"judge\"", "task = \"caption\""), HasSubstr("for judge alone"));
  EXPECT_THAT(
      complaint("task = \"judge\"", "task = \"align\"\nvectors = \"v\"\nverdict_weight = 2"),
      HasSubstr("verdict_weight, caption_share and full_answers for judge alone"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 2\nneighbours = 4\nvectors = \"v\""),
              HasSubstr("neighbours to be at most 12 and below images_per_step / accumulate"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 2\nneighbours = 3"),
              HasSubstr("vectors, for neighbours"));
  EXPECT_THAT(complaint("task = \"judge\"", "task = \"align\"\nneighbours = 1\nvectors = \"v\""),
              HasSubstr("neighbours, verdict_weight"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 2\nvectors = \"v\""),
              HasSubstr("vectors for align and neighbours alone"));
  EXPECT_THAT(complaint("accumulate = 2", "accumulate = 2\nkeep_best = true"),
              HasSubstr("validation_shards, for keep_best"));
  EXPECT_THAT(complaint("model = ", "caption_from = \"tx\"\nmodel = "),
              HasSubstr("caption_from = \"tx\": expected txt or json:FIELD"));
  EXPECT_THAT(complaint("[[stage]]", "[[stage"), HasSubstr("recipe.toml:"));
}

TEST_F(RecipeTest, ReadsTheOnesThatComeWithTheProgram) {
  const std::filesystem::path folder = std::filesystem::path(AITQE_SOURCE_DIR) / "configs/train";
  EXPECT_EQ(Recipe::read(folder / "tiny.toml").stages.size(), 2U);
  const Recipe small = Recipe::read(folder / "small.toml");
  ASSERT_EQ(small.stages.size(), 3U);
  EXPECT_EQ(small.stages[0].task, StageTask::Align);
  EXPECT_TRUE(small.stages[0].augment);
  EXPECT_EQ(small.stages[2].swapped_captions, 3);
}

}  // namespace
}  // namespace aitqe
