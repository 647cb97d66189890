#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "aitqe/train/recipe.h"

namespace aitqe {

struct TrainOptions {
  Recipe recipe;
  std::filesystem::path output_folder;
  std::string device = "auto";  ///< see open_device
  int num_threads = 0;          ///< 0 = one a core
  int num_workers = 1;          ///< threads that read and decode images
};

/// What a training run has done so far: written by the trainer, read by whoever shows it.
struct TrainProgress {
  std::atomic<std::int64_t> steps_done = 0;         ///< of all stages together
  std::atomic<std::int64_t> steps_done_before = 0;  ///< by earlier runs, counted above
  std::atomic<std::int64_t> num_steps = 0;
  std::atomic<int> stage = 0;
  std::atomic<double> loss = 0;  ///< running mean
  /// Set from outside: save and stop after the step at hand.
  std::atomic<bool> stop_requested = false;
};

struct TrainResult {
  bool stopped = false;  ///< on request, before the last step
  std::int64_t steps_done = 0;
  std::int64_t steps_done_before = 0;  ///< by earlier runs
  double last_loss = 0;
};

/// Runs a recipe: every stage's steps, one after the other, then writes the model.
///   OUT/config.json, tokenizer, ...   as in the folder the recipe starts from
///   OUT/model.safetensors             all weights, additions merged, dtypes as they were
///   OUT/adapter/                      what was trained alone: LoRA factors and changed tensors
///   OUT/metrics.jsonl, OUT/loss.svg   one row a step; the curve
///   OUT/_train/state.safetensors      where the same command goes on; gone when all is done
///   OUT/_train/done                   then there is this: the same command does nothing more
/// On a CPU the same recipe gives the same losses, bit for bit, with the same number of threads,
/// however often it is stopped, by whatever means, and run again. A GPU adds up in no fixed order:
/// there it goes on from the same state, and the losses are the same to rounding.
/// @throws Error(Usage) when OUT holds the state or the model of another recipe; Error(Model),
/// Error(NoInput),
///         Error(Output).
TrainResult train(const TrainOptions& options, TrainProgress& progress);

}  // namespace aitqe
