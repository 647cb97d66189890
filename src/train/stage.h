#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/stream.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/train/network.h"
#include "aitqe/train/parameters.h"
#include "aitqe/train/recipe.h"
#include "aitqe/train/step_maker.h"
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

  bool has_validation() const { return !validation_.empty(); }
  /// Loss over the validation images with the weights as they are: mean of their steps' losses by
  /// images, the ranking weighed as in training.
  double validate() const;

  /// Learning rate of every trained tensor. @param factor  of the schedule
  std::map<std::string, double> rates(double factor) const;

 private:
  enum class Gradients { Wanted, None };

  void open_concepts();
  void open_validation(const CaptionSource& captions, const StepMaker::Stock& stock);
  at::Tensor vision(std::span<const TaughtImage> images) const;
  at::Tensor features(std::span<const TaughtImage> images) const;
  StepMetrics losses(const TrainingStep& step, Gradients gradients) const;
  double align(const TrainingStep& step, Gradients gradients) const;
  StepMetrics judge(const TrainingStep& step, Gradients gradients) const;

  StageOptions options_;
  StageModel model_;
  std::uint64_t seed_;
  std::map<std::string, double> learning_rates_;
  LessonBuilder lessons_;
  bool vision_learns_ = false;
  CaptionVectors vectors_;
  Concepts concepts_;
  std::optional<StepMaker> maker_;
  std::vector<TrainingStep> validation_;
  std::unique_ptr<ParallelMap<std::int64_t, TrainingStep>>
      steps_;  // last: its threads use the rest
};

}  // namespace aitqe
