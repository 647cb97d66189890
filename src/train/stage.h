#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/stream.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/train/caption_vectors.h"
#include "aitqe/train/concepts.h"
#include "aitqe/train/lesson.h"
#include "aitqe/train/network.h"
#include "aitqe/train/parameters.h"
#include "aitqe/train/recipe.h"
#include "metrics.h"

namespace aitqe {

/// The model that stages work on, one after the other.
struct StageModel {
  const ModelInputs& inputs;
  Parameters& parameters;
  const Network& network;
};

/// Every option of a stage that decides its losses, on one line.
std::string describe(const StageOptions& stage);

/// One stage of a recipe: which tensors learn, from which images, what loss.
class Stage {
 public:
  /// Makes the stage's own tensors (LoRA factors, the alignment's head) and sets what is trained.
  /// @throws Error(Usage) where a glob fits nothing.
  Stage(const StageOptions& options, StageModel model, std::uint64_t seed);
  ~Stage();

  /// To be called again when masters were restored.
  void set_trained();

  /// Reads the shards and starts to prepare the steps from `first_step` on.
  void open(const CaptionSource& captions, std::int64_t first_step, int num_workers);

  /// Loss and gradients of the next step; the gradients lie in the masters.
  StepMetrics compute_gradients();

  /// Learning rate of every trained tensor. @param factor  of the schedule
  std::map<std::string, double> rates(double factor) const;

 private:
  struct PreparedImage {
    std::vector<float> pixels;
    Lesson lesson;
    std::vector<float> vector;         ///< Align
    std::optional<Painting> painting;  ///< then the lesson is about a concept over the picture
  };
  using PreparedStep = std::vector<PreparedImage>;

  PreparedStep prepare(std::int64_t step) const;
  /// Good captions that have a vector.
  std::vector<std::string> known_captions(const TrainingImage& image) const;
  void open_concepts();
  std::optional<PreparedImage> prepare_image_at(std::size_t index, std::uint64_t seed,
                                                bool with_concept) const;
  /// What is to be learnt of an image or a concept.
  void teach(const TrainingImage& image, Random& random, PreparedImage& prepared) const;
  at::Tensor vision(std::span<const PreparedImage> images) const;
  at::Tensor features(std::span<const PreparedImage> images) const;
  double align(const PreparedStep& step) const;
  StepMetrics judge(const PreparedStep& step) const;

  StageOptions options_;
  StageModel model_;
  std::uint64_t seed_;
  std::map<std::string, double> learning_rates_;
  LessonBuilder lessons_;
  bool vision_learns_ = false;
  CaptionVectors vectors_;
  Concepts concepts_;
  std::vector<TrainingImage> concept_images_;  // what is known of each concept; without pictures
  TrainingSet images_;
  std::vector<std::size_t> usable_;
  std::unique_ptr<ParallelMap<std::int64_t, PreparedStep>>
      steps_;  // last: its threads use the rest
};

}  // namespace aitqe
