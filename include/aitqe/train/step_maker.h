#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/train/caption_vectors.h"
#include "aitqe/train/concepts.h"
#include "aitqe/train/lesson.h"
#include "aitqe/train/neighbours.h"
#include "aitqe/train/recipe.h"
#include "aitqe/train/training_set.h"

namespace aitqe {

/// One image of a step, ready for the model.
struct TaughtImage {
  std::vector<float> pixels;  ///< [3, S, S]
  Lesson lesson;
  std::vector<float> vector;         ///< Align
  std::optional<Painting> painting;  ///< then the lesson is about a concept over the picture
};
using TrainingStep = std::vector<TaughtImage>;

/// Part `part` of `parts` of a step.
template <typename Image>
std::span<Image> part_of(std::span<Image> step, int part, int parts) {
  const auto bound = [&](int i) {
    return static_cast<std::size_t>(i) * step.size() / static_cast<std::size_t>(parts);
  };
  return step.subspan(bound(part), bound(part + 1) - bound(part));
}

/// Makes the steps of a stage: which images, cut how, and what is taught of each. Immutable; a step
/// is a function of its number and the seed; any number of threads.
class StepMaker {
 public:
  /// What a stage has beside its images. Borrowed.
  struct Stock {
    const ModelInputs& inputs;
    const LessonBuilder& lessons;
    const CaptionVectors& vectors;
    const Concepts& concepts;
  };
  /// @throws Error(NoInput) when no image has the texts that the task needs; Error(Model) for a
  ///         concept without a vector.
  StepMaker(const StageOptions& options, Stock stock, TrainingSet images, std::uint64_t seed);

  /// Places of the images that have the texts this task needs.
  const std::vector<std::size_t>& usable() const { return usable_; }

  /// Images that cannot be read are left out with a warning.
  TrainingStep make(std::int64_t step) const;
  /// `num_images` from place `first` of the endless walk over the images, without concepts.
  TrainingStep make_from(std::int64_t first, int num_images) const;

 private:
  /// What stands at one place of a step.
  struct Shown {
    std::size_t index = 0;  ///< of the picture
    std::uint64_t seed = 0;
    bool with_concept = false;
    std::optional<std::size_t> concept_index;  ///< else it is drawn
  };
  TrainingStep prepare_all(std::int64_t first, int num_images, int num_concepts) const;
  void learn_concepts();
  void learn_neighbours();
  /// Good captions that have a vector.
  std::vector<std::string> known_captions(const TrainingImage& image) const;
  std::optional<TaughtImage> prepare(const Shown& shown) const;
  /// What is to be learnt of an image or a concept.
  void teach(const TrainingImage& image, Random& random, TaughtImage& prepared) const;
  void swap_captions(TrainingStep& step) const;

  StageOptions options_;
  Stock stock_;
  TrainingSet images_;
  std::uint64_t seed_;
  std::vector<std::size_t> usable_;
  std::vector<TrainingImage> concept_images_;  // what is known of each concept; without pictures
  Neighbours near_images_;                     // by place in usable_
  Neighbours near_concepts_;
};

}  // namespace aitqe
