#include "aitqe/train/trainer.h"

#include <gmock/gmock.h>

#include <thread>

#include "aitqe/contrast/contrast.h"
#include "aitqe/model/adapter.h"
#include "aitqe/train/training_set.h"
#include "io/io_support.h"
#include "support/caption_vectors.h"
#include "support/errors.h"
#include "support/examples.h"
#include "support/load_mllm.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

class TrainerTest : public ::testing::Test {
 protected:
  TrainerTest() {
    ContrastOptions contrast_options;
    write_first_pairs(12);
    contrast_options.shards = expand_inputs({(folder_ / "in").string()});
    contrast_options.output_folder = folder_ / "training";
    contrast(contrast_options);
    options_.num_threads = 1;
    options_.recipe.model = test::source_dir() / "models/aitqe-tiny";
    options_.recipe.dtype = "f32";
    options_.recipe.save_every_steps = 2;
    options_.recipe.stages = {stage("captions", StageTask::Caption),
                              stage("judge", StageTask::Judge)};
    options_.recipe.stages[1].lora = {{{"model.model.layers.*", 2, 4}, 1e-3}};
    options_.recipe.stages[1].accumulate = 2;
  }

  /// Few enough to be learnt by heart.
  void write_first_pairs(std::size_t count) const {
    std::vector<TarMember> taken;
    for (const Sample& sample : test::example_samples(count)) {
      for (const Member& member : sample.members) {
        taken.push_back({member.name, member.bytes, member.metadata, 0});
      }
    }
    test::write_bytes(folder_ / "in/00000.tar", test::write_tar(taken));
  }

  StageOptions stage(const std::string& name, StageTask task) const {
    StageOptions made;
    made.name = name;
    made.task = task;
    made.shards = {(folder_ / "training").string()};
    made.num_steps = 5;
    made.images_per_step = 2;
    made.warmup_steps = 1;
    made.train = {{"mm_projector.*", 1e-3}};
    return made;
  }

  /// One of eight directions for every good caption, and a little of one that all have.
  void write_vectors() const {
    Random random(1);
    std::map<std::string, std::vector<float>> vectors;
    const TrainingSet set = TrainingSet::read(expand_inputs({(folder_ / "training").string()}),
                                              CaptionSource::parse("txt"));
    for (std::size_t i = 0; i < set.size(); ++i) {
      for (const TrainingText& text : set.at(i).good) {
        std::vector<float> vector = {0, 0, 0, 0, 0.6F};
        vector[random.below(4)] = random.unit() < 0.5 ? -0.8F : 0.8F;
        vectors[text.caption] = vector;
      }
    }
    test::write_caption_vectors(folder_ / "vectors.safetensors", vectors);
  }

  TrainResult run(const std::string& output, int stop_after = -1) {
    options_.output_folder = folder_ / output;
    TrainProgress progress;
    std::jthread watcher;
    if (stop_after >= 0) {
      watcher = std::jthread([&progress, stop_after](const std::stop_token& stop) {
        while (!stop.stop_requested() && progress.steps_done < stop_after)
          std::this_thread::yield();
        progress.stop_requested = true;
      });
    }
    return train(options_, progress);
  }

  std::string metrics(const std::string& output) const {
    return test::read_bytes(folder_ / (output + "/metrics.jsonl"));
  }

  /// What every row that has it says under this key.
  std::vector<double> numbers(const std::string& output, const std::string& key) const {
    std::vector<double> values;
    std::istringstream rows(metrics(output));
    for (std::string row; std::getline(rows, row);) {
      const std::size_t place = row.find("\"" + key + "\":");
      if (place != std::string::npos)
        values.push_back(std::stod(row.substr(place + key.size() + 3)));
    }
    return values;
  }

  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_F(TrainerTest, WritesAModelThatTheEngineLoadsAndTheNumbersOfEveryStep) {
  const TrainResult result = run("model");
  EXPECT_EQ(result.steps_done, 10);
  EXPECT_FALSE(result.stopped);
  const std::string rows = metrics("model");
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 10);
  EXPECT_THAT(test::read_bytes(folder_ / "model/loss.svg"), HasSubstr("<polyline"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model/_train/state.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "model/adapter/adapter.safetensors"));

  const auto compute = test::compute(nn::Backend::Kernels);
  const auto before = test::load_mllm(options_.recipe.model, *compute);
  const auto after = test::load_mllm(folder_ / "model", *compute);
  const at::Tensor pixels = at::rand({1, 3, 96, 96});
  EXPECT_GT(test::largest_difference(before->encode_images(pixels), after->encode_images(pixels)),
            0);
}

TEST_F(TrainerTest, GoesOnWhereItWasStoppedWithTheSameLosses) {
  run("whole");
  const TrainResult stopped = run("pieces", 3);
  EXPECT_TRUE(stopped.stopped);
  EXPECT_LT(stopped.steps_done, 10);
  const TrainResult rest = run("pieces");
  EXPECT_EQ(rest.steps_done, 10);
  EXPECT_EQ(rest.steps_done_before, stopped.steps_done);
  EXPECT_EQ(metrics("pieces"), metrics("whole"));
  EXPECT_EQ(test::read_bytes(folder_ / "pieces/model.safetensors"),
            test::read_bytes(folder_ / "whole/model.safetensors"));
}

TEST_F(TrainerTest, KeepsItsWeightsInF32WhereProductsAreInBf16) {
  options_.recipe.dtype = "bf16";
  run("whole");
  EXPECT_TRUE(run("pieces", 6).stopped);  // in the stage with low-rank factors
  {
    const std::filesystem::path path = folder_ / "pieces/_train/state.safetensors";
    const auto file = SafetensorsFile::open(path);
    const test::ReferenceTensors state(path);
    int num_factors = 0;
    for (const auto& [name, info] : file->tensors()) {
      const bool is_master = name.starts_with("master.");
      if (!is_master && !name.starts_with("optimizer.")) continue;
      EXPECT_EQ(info.dtype, TensorDtype::F32) << name;
      if (!is_master) continue;
      const at::Tensor master = state[name];
      EXPECT_FALSE(at::equal(master, master.to(at::kBFloat16).to(at::kFloat))) << name;
      if (name.find(".lora_") != std::string::npos) ++num_factors;
    }
    EXPECT_GT(num_factors, 0);
    EXPECT_TRUE(file->tensors().contains("master.mm_projector.0.weight"));
  }
  run("pieces");
  EXPECT_EQ(metrics("pieces"), metrics("whole"));
  EXPECT_EQ(test::read_bytes(folder_ / "pieces/model.safetensors"),
            test::read_bytes(folder_ / "whole/model.safetensors"));
}

TEST_F(TrainerTest, LeavesAFinishedModelAlone) {
  const TrainResult first = run("model");
  const std::string weights = test::read_bytes(folder_ / "model/model.safetensors");
  const TrainResult again = run("model");
  EXPECT_EQ(again.steps_done_before, 10);
  EXPECT_EQ(again.last_loss, first.last_loss);
  EXPECT_EQ(test::read_bytes(folder_ / "model/model.safetensors"), weights);
  options_.recipe.seed = 9;
  EXPECT_THAT(test::message_of([&] { run("model"); }), HasSubstr("another recipe or model"));
}

TEST_F(TrainerTest, RefusesTheStateOfAnotherRecipe) {
  run("model", 3);
  options_.recipe.seed = 9;
  EXPECT_THAT(test::message_of([&] { run("model"); }), HasSubstr("another recipe or model"));
}

TEST_F(TrainerTest, RefusesTheStateOfOtherDataOfTheSameSize) {
  run("half", 3);
  run("whole");
  constexpr std::size_t kBlock = 512;
  std::string bytes = test::read_bytes(folder_ / "training/00000.tar");
  const std::size_t name = bytes.find("-good.txt");
  ASSERT_NE(name, std::string::npos);
  char& first_letter = bytes[(name / kBlock + 1) * kBlock];
  first_letter = first_letter == 'x' ? 'y' : 'x';
  test::write_bytes(folder_ / "training/00000.tar", bytes);
  for (const char* folder : {"half", "whole"}) {
    EXPECT_THAT(test::message_of([&] { run(folder); }), HasSubstr("another recipe or model"));
  }
}

TEST_F(TrainerTest, RefusesShardsThatAreNoFilesAndTellsNoSecrets) {
  options_.recipe.stages[0].shards = {"https://user:secret@example.com/0.tar"};
  const std::string message = test::message_of([&] { run("model"); });
  EXPECT_THAT(message, HasSubstr("training reads plain .tar files only"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("secret")));
}

TEST_F(TrainerTest, StopsWhereNumbersAreNoLongerFinite) {
  options_.recipe.stages.resize(1);
  options_.recipe.stages[0].train = {{"mm_projector.*", 1e30}};
  options_.recipe.stages[0].num_steps = 20;
  EXPECT_THAT(test::message_of([&] { run("model"); }), HasSubstr("is not finite"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model/model.safetensors"));
}

TEST_F(TrainerTest, LeavesTheModelItStartsFromAlone) {
  std::filesystem::copy(options_.recipe.model, folder_ / "model",
                        std::filesystem::copy_options::recursive);
  options_.recipe.model = folder_ / "model";
  EXPECT_THAT(test::message_of([&] { run("model"); }), HasSubstr("which is read (-o)"));
  EXPECT_THAT(test::message_of([&] { run("model/../model/deeper"); }), HasSubstr("is inside"));
}

TEST_F(TrainerTest, LearnsItsLessons) {
  options_.recipe.stages.resize(1);
  options_.recipe.stages[0].num_steps = 25;
  options_.recipe.stages[0].images_per_step = 4;
  options_.recipe.stages[0].train = {{"model.model.layers.*", 3e-3}};
  run("model");
  const std::vector<double> losses = numbers("model", "loss");
  ASSERT_EQ(losses.size(), 25U);
  EXPECT_LT(losses.back(), 0.8 * losses.front());
}

TEST_F(TrainerTest, JudgesPicturesThatHaveAGoodCaptionAlone) {
  options_.recipe.stages = {stage("judge", StageTask::Judge)};
  options_.recipe.stages[0].shards = {(folder_ / "in").string()};
  EXPECT_EQ(run("model").steps_done, 5);
  for (const double loss : numbers("model", "loss")) EXPECT_TRUE(std::isfinite(loss) && loss > 0);
}

TEST_F(TrainerTest, MovesPicturesToTheVectorsOfTheirCaptions) {
  write_vectors();
  StageOptions& align = options_.recipe.stages[0];
  align.task = StageTask::Align;
  align.vectors = folder_ / "vectors.safetensors";
  align.num_steps = 30;
  align.images_per_step = 8;
  align.augment = true;
  align.train = {{"mm_projector.*", 3e-3}};
  options_.recipe.stages.resize(1);
  run("model");
  const std::vector<double> losses = numbers("model", "loss");
  ASSERT_EQ(losses.size(), 30U);
  EXPECT_LT(losses.back(), 0.8 * losses.front());
  // What the vectors were compared through is no part of the model.
  const auto compute = test::compute(nn::Backend::Kernels);
  EXPECT_NE(test::load_mllm(folder_ / "model", *compute), nullptr);
}

TEST_F(TrainerTest, GoesOnFromTheAdapterOfAnEarlierTraining) {
  run("first");
  options_.recipe.adapter = folder_ / "first/adapter";
  options_.recipe.stages.erase(options_.recipe.stages.begin());
  options_.recipe.stages[0].train.clear();
  run("second");
  run("stopped", 2);
  run("stopped");
  EXPECT_EQ(metrics("stopped"), metrics("second"));
  const Adapter first = Adapter::read(folder_ / "first/adapter");
  const Adapter second = Adapter::read(folder_ / "second/adapter");
  ASSERT_EQ(second.low_rank.size(), first.low_rank.size());
  ASSERT_EQ(second.changed.size(), first.changed.size());
  for (const auto& [name, tensor] : first.changed) {
    EXPECT_TRUE(at::equal(second.changed.at(name), tensor)) << name;  // it was not trained again
  }
  const auto& [layer, factors] = *first.low_rank.begin();
  EXPECT_FALSE(at::equal(second.low_rank.at(layer).b, factors.b));
  EXPECT_LT(test::largest_difference(second.low_rank.at(layer).b, factors.b), 0.02);

  options_.recipe.model = folder_ / "first";
  EXPECT_THAT(test::message_of([&] { run("third"); }), HasSubstr("first/adapter: stands on"));
}

TEST_F(TrainerTest, TellsTheLossOfPicturesThatItDoesNotLearnFrom) {
  for (StageOptions& stage : options_.recipe.stages) {
    stage.validation_shards = {(folder_ / "training").string()};
    stage.validation_images = 3;  // a step and a half
    stage.validate_every_steps = 2;
  }
  run("model");
  EXPECT_EQ(numbers("model", "validation").size(), 6U);  // after steps 2, 4 and 5 of each
  EXPECT_THAT(test::read_bytes(folder_ / "model/loss.svg"), HasSubstr("<circle"));
  run("stopped", 3);
  run("stopped");
  EXPECT_EQ(metrics("stopped"), metrics("model"));
}

TEST_F(TrainerTest, EndsAStageWithTheWeightsThatWereBestWhereItIsTold) {
  // Learning the few pictures of `training` by heart, the model knows others less and less.
  StageOptions& captions = options_.recipe.stages[0];
  captions.validation_shards = {(test::source_dir() / "examples/pairs-00000.tar").string()};
  captions.validation_images = 16;
  captions.validate_every_steps = 4;
  captions.keep_best = true;
  captions.num_steps = 28;
  captions.final_rate = 1;
  captions.train = {{"model.model.layers.*", 6e-3}};
  options_.recipe.stages.resize(1);
  run("first");
  const std::vector<double> losses = numbers("first", "validation");
  const double best = *std::min_element(losses.begin(), losses.end());
  ASSERT_GT(losses.back(), 1.01 * best);
  run("stopped", 9);
  run("stopped");
  EXPECT_EQ(test::read_bytes(folder_ / "stopped/model.safetensors"),
            test::read_bytes(folder_ / "first/model.safetensors"));

  options_.recipe.adapter = folder_ / "first/adapter";
  captions.num_steps = 1;
  captions.train = {{"mm_projector.*", 1e-12}};
  run("second");
  EXPECT_NEAR(numbers("second", "validation").back(), best, 0.3 * (losses.back() - best));
}

TEST_F(TrainerTest, ShowsConceptsToTowersThatTheyFit) {
  folder_.write("concepts.safetensors", "");
  options_.recipe.stages[0].concepts = folder_ / "concepts.safetensors";
  options_.recipe.stages[0].concepts_per_step = 2;
  EXPECT_THAT(test::message_of([&] { run("model"); }), HasSubstr("ends in ReLU6"));
}

TEST_F(TrainerTest, RanksSwappedCaptionsWhereScoresAreDigits) {
  StageOptions& judge = options_.recipe.stages[1];
  judge.images_per_step = 4;
  judge.swapped_captions = 1;
  EXPECT_THAT(test::message_of([&] { run("refused"); }), HasSubstr("scores of one digit"));
  std::filesystem::copy(options_.recipe.model, folder_ / "digits",
                        std::filesystem::copy_options::recursive);
  folder_.write("digits/aitqe.json", R"({"score_scale": {"lowest": 1, "highest": 9}})");
  options_.recipe.model = folder_ / "digits";
  judge.rank_weight = 1;
  judge.augment = true;
  write_vectors();
  judge.vectors = folder_ / "vectors.safetensors";
  judge.neighbours = 1;
  judge.validation_shards = judge.shards;
  judge.validation_images = 4;
  judge.validate_every_steps = 5;
  run("model");
  run("stopped", 7);
  run("stopped");
  EXPECT_EQ(metrics("stopped"), metrics("model"));
  const std::vector<double> ranking = numbers("model", "ranking");
  ASSERT_EQ(ranking.size(), 10U);
  EXPECT_GT(ranking.back(), 0);
}

}  // namespace
}  // namespace aitqe
