#include "aitqe/train/step_maker.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "aitqe/io/safetensors_writer.h"
#include "io/io_support.h"
#include "support/caption_vectors.h"
#include "support/errors.h"
#include "support/examples.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::SizeIs;

/// Pictures whose captions come in twos: each is like one other and like no further one.
class StepMakerTest : public ::testing::Test {
 protected:
  StepMakerTest() {
    options_.name = "judge";
    options_.task = StageTask::Judge;
    options_.images_per_step = 6;
    const std::string rows_text = "zebra\nhorse\ncup\nmug";
    const std::vector<float> rows = {1, 0, 0, 0, 0.8F, 0.6F, 0, 0, 0, 0, 1, 0, 0, 0, 0.8F, 0.6F};
    write_safetensors(folder_ / "concepts.safetensors",
                      std::vector<TensorToWrite>{
                          {"rows", TensorDtype::F32, {4, 4}, std::as_bytes(std::span(rows))},
                          {"texts",
                           TensorDtype::U8,
                           {std::ssize(rows_text)},
                           std::as_bytes(std::span(rows_text))}});
    concepts_ = Concepts::read(folder_ / "concepts.safetensors");
    write_pictures(24);
    const TrainingSet set = images();
    std::map<std::string, std::vector<float>> vectors;
    for (std::size_t i = 0; i + 1 < set.size(); i += 2) {
      std::vector<float> one(set.size(), 0);
      std::vector<float> other(set.size(), 0);
      one[i] = 1;
      other[i] = 0.8F;
      other[i + 1] = 0.6F;
      vectors[set.at(i).good[0].caption] = one;
      vectors[set.at(i + 1).good[0].caption] = other;
      partner_[set.at(i).good[0].caption] = set.at(i + 1).good[0].caption;
      partner_[set.at(i + 1).good[0].caption] = set.at(i).good[0].caption;
    }
    test::write_caption_vectors(folder_ / "vectors.safetensors", vectors);
    vectors_ = CaptionVectors::read(folder_ / "vectors.safetensors");
  }

  /// Pictures of the examples under captions of which none comes twice.
  void write_pictures(std::size_t count) const {
    std::vector<TarMember> taken;
    for (const Sample& sample : test::example_samples(count)) {
      const Member& image = *find_image(sample);
      taken.push_back({image.name, image.bytes, image.metadata, 0});
      taken.push_back({sample.key + ".txt", "picture " + sample.key, image.metadata, 0});
    }
    test::write_bytes(folder_ / "in/00000.tar", test::write_tar(taken));
  }

  TrainingSet images() const {
    return TrainingSet::read(expand_inputs({(folder_ / "in").string()}),
                             CaptionSource::parse("txt"));
  }

  std::vector<TrainingStep> steps(int count) const {
    const LessonBuilder lessons(inputs_.prompts, inputs_.tokenizer, inputs_.config.eos_ids.front(),
                                options_);
    const StepMaker maker(options_, {inputs_, lessons, vectors_, concepts_}, images(), 1);
    std::vector<TrainingStep> made;
    for (int step = 0; step < count; ++step) made.push_back(maker.make(step));
    return made;
  }

  test::TemporaryFolder folder_;
  ModelInputs inputs_ = load_model_inputs(test::source_dir() / "models/aitqe-tiny");
  StageOptions options_;
  CaptionVectors vectors_;
  Concepts concepts_;
  std::map<std::string, std::string> partner_;
};

TEST_F(StepMakerTest, LetsPicturesBeFollowedByTheirNeighbours) {
  options_.neighbours = 1;
  for (const TrainingStep& step : steps(8)) {
    ASSERT_THAT(step, SizeIs(6));
    std::set<std::string> captions;
    for (const TaughtImage& image : step) captions.insert(image.lesson.caption);
    EXPECT_THAT(captions, SizeIs(6));  // none twice
    for (std::size_t i = 0; i < step.size(); i += 2) {
      EXPECT_EQ(step[i + 1].lesson.caption, partner_.at(step[i].lesson.caption));
    }
  }
}

TEST_F(StepMakerTest, MakesEveryStepByItselfAndShowsEachCaptionWithItsPicture) {
  std::map<std::string, std::vector<float>> pixels;
  for (const TrainingStep& step : steps(4)) {
    for (const TaughtImage& image : step) pixels[image.lesson.caption] = image.pixels;
  }
  ASSERT_THAT(pixels, SizeIs(24));
  options_.neighbours = 1;
  const std::vector<TrainingStep> made = steps(3);
  const LessonBuilder lessons(inputs_.prompts, inputs_.tokenizer, inputs_.config.eos_ids.front(),
                              options_);
  const StepMaker maker(options_, {inputs_, lessons, vectors_, concepts_}, images(), 1);
  for (const int step : {2, 0, 1}) {
    const TrainingStep again = maker.make(step);
    ASSERT_THAT(again, SizeIs(6));
    for (std::size_t i = 0; i < again.size(); ++i) {
      EXPECT_EQ(again[i].lesson.caption, made[static_cast<std::size_t>(step)][i].lesson.caption);
      EXPECT_EQ(again[i].pixels, pixels.at(again[i].lesson.caption));
    }
  }
}

TEST_F(StepMakerTest, SaysWhenTheVectorsAreOfOtherCaptions) {
  test::write_caption_vectors(folder_ / "other.safetensors", {{"another", {1, 0}}});
  vectors_ = CaptionVectors::read(folder_ / "other.safetensors");
  options_.vectors = "other.safetensors";
  options_.neighbours = 1;
  EXPECT_THAT(test::message_of([&] { steps(1); }),
              testing::HasSubstr("no image has neighbours by these vectors"));
}

TEST_F(StepMakerTest, ShowsOtherPicturesWhereNeighboursAreTooFew) {
  options_.neighbours = 2;
  for (const TrainingStep& step : steps(2)) {
    ASSERT_THAT(step, SizeIs(6));
    for (const std::size_t leader : {0U, 2U, 4U}) {
      EXPECT_EQ(step[leader + 1].lesson.caption, partner_.at(step[leader].lesson.caption));
    }
  }
}

TEST_F(StepMakerTest, LetsConceptsBeFollowedByTheirNeighbours) {
  options_.neighbours = 1;
  options_.concepts = folder_ / "concepts.safetensors";
  options_.concepts_per_step = 4;
  for (const TrainingStep& step : steps(3)) {
    ASSERT_THAT(step, SizeIs(10));
    for (std::size_t i = 0; i < 6; ++i) EXPECT_FALSE(step[i].painting.has_value());
    for (const std::size_t leader : {6U, 8U}) {
      const std::size_t first = step[leader].painting->concept_index;
      EXPECT_EQ(step[leader + 1].painting->concept_index, first ^ 1U);
      EXPECT_EQ(step[leader + 1].lesson.caption[0], concepts_.texts(first ^ 1U)[0][0]);
    }
  }
}

TEST_F(StepMakerTest, WalksOverAllPicturesWithoutNeighbours) {
  std::set<std::string> captions;
  for (const TrainingStep& step : steps(4)) {
    for (const TaughtImage& image : step) captions.insert(image.lesson.caption);
  }
  EXPECT_THAT(captions, SizeIs(24));
}

}  // namespace
}  // namespace aitqe
