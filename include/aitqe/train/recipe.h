#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "aitqe/train/parameters.h"

namespace aitqe {

/// What a stage teaches.
enum class StageTask {
  Align,    ///< image features to lie where the caption's given vector lies (InfoNCE)
  Caption,  ///< to describe the image in the form of a recaption
  Judge,    ///< to answer about good and bad captions
};

/// Tensors that learn, and how fast at most.
struct TrainedTensors {
  std::string tensors;  ///< glob over the names of the checkpoint
  double learning_rate = 1e-3;
};
struct TrainedLora {
  LoraOptions lora;
  double learning_rate = 5e-4;
};

struct StageOptions {
  std::string name;
  StageTask task = StageTask::Judge;
  std::vector<std::string> shards;  ///< INPUT, as on the command line
  /// Align, and where neighbours are shown: a .safetensors file (caption_vectors.h).
  std::filesystem::path vectors;
  int num_steps = 0;
  int images_per_step = 16;
  int accumulate = 1;  ///< parts that a step is cut into, to save memory
  std::vector<TrainedTensors> train;
  std::vector<TrainedLora> lora;
  int warmup_steps = 50;
  double final_rate = 0.1;  ///< of the learning rate, where the cosine ends
  double weight_decay = 0.0;
  double clip_norm = 1.0;  ///< of all gradients together
  bool augment = false;    ///< show a picture every time a little differently (augment.h)
  /// Directions of the vision tower's output with texts (concepts.h), and how many of them a step
  /// shows besides its images.
  std::filesystem::path concepts;
  int concepts_per_step = 0;
  /// Judge: weight of the ranking of good above bad by expected score.
  double rank_weight = 0.0;
  /// Judge: how many of the step's other captions every image is judged with as well. A caption
  /// is right once and wrong that many times, so reading it without the image helps nothing.
  int swapped_captions = 0;
  /// Judge: how many pictures with captions like its own follow a picture in a step, in place of
  /// any others. The same holds for concepts, by their directions. Swapped captions of the same
  /// group are near misses: half of them where both numbers are equal.
  int neighbours = 0;
  /// Judge: how much more the first key and the score count than other answer tokens.
  double verdict_weight = 4.0;
  /// Judge: share of images that also replay the captioning task.
  double caption_share = 0.25;
  /// Judge: teach scores and explanations beyond the overall score (`--full`).
  bool full_answers = false;
  /// Shards of pictures that are not learnt from: their loss is computed every
  /// `validate_every_steps` steps and after the last, over the first `validation_images` of them
  /// (in an order drawn once), as they are, without concepts.
  std::vector<std::string> validation_shards;
  int validation_images = 128;
  int validate_every_steps = 50;
  /// The stage ends with the weights whose validation loss was lowest, not with the last ones.
  bool keep_best = false;
};

/// A training run: TOML, every key checked. Example: configs/train/tiny.toml.
struct Recipe {
  std::filesystem::path model;  ///< folder to start from
  /// What an earlier training left on `model`, to go on from: a folder with adapter.json. May be
  /// empty.
  std::filesystem::path adapter;
  std::string dtype = "auto";  ///< of products: auto | f32 | bf16
  std::string caption_from = "txt";
  std::uint64_t seed = 0;
  int save_every_steps = 100;
  std::vector<StageOptions> stages;

  /// @throws Error(Usage) naming file, key and what was expected.
  static Recipe read(const std::filesystem::path& path);
};

}  // namespace aitqe
