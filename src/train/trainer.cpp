#include "aitqe/train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aitqe/base/cores.h"
#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/base/log.h"
#include "aitqe/io/shards.h"
#include "aitqe/io/sink.h"
#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/model/fingerprint.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/train/adamw.h"
#include "aitqe/train/network.h"
#include "metrics.h"
#include "stage.h"
#include "trained_model.h"
#include "training_state.h"

namespace aitqe {

namespace {

namespace fs = std::filesystem;

at::ScalarType choose_dtype(const std::string& dtype, at::Device device) {
  if (dtype == "f32") return at::kFloat;
  if (dtype == "bf16") return at::kBFloat16;
  if (dtype == "auto") {
    const bool fast_bf16 = !device.is_cpu() || kernels::cpu_kernels().has_native_bf16;
    return fast_bf16 ? at::kBFloat16 : at::kFloat;
  }
  throw Error(ErrorCategory::Usage, "dtype = \"" + dtype + "\": expected auto, f32 or bf16");
}

/// Of what is read. By its bytes: `aitqe contrast` with another seed writes files of the same size.
std::string digest_of(const fs::path& path) {
  return " " + path.string() + ":" + sha256_of_file(path);
}

/// What of a recipe decides the losses.
std::string recipe_digest(const Recipe& recipe, at::ScalarType dtype) {
  std::string text = recipe.model.string() + "|" + model_fingerprint(recipe.model) + "|" +
                     (dtype == at::kFloat ? "f32" : "bf16") + "|" + recipe.caption_from + "|" +
                     std::to_string(recipe.seed);
  if (!recipe.adapter.empty()) {
    text += "|" + sha256_of_file(recipe.adapter / "adapter.safetensors");
  }
  for (const StageOptions& stage : recipe.stages) {
    text += "|" + describe(stage);
    for (const std::vector<std::string>& shards : {stage.shards, stage.validation_shards}) {
      if (shards.empty()) continue;
      for (const ShardRef& shard : expand_inputs(shards)) {
        // Others are refused when they are to be read.
        if (is_local_file(shard)) text += digest_of(shard.url);
      }
    }
    if (!stage.vectors.empty()) text += digest_of(stage.vectors);
    if (!stage.concepts.empty()) text += digest_of(stage.concepts);
  }
  return sha256_hex(text);
}

class Run {
 public:
  Run(const TrainOptions& options, TrainProgress& progress)
      : options_(options),
        progress_(progress),
        inputs_(load_model_inputs(options.recipe.model)),
        device_(open_device(options.device)),
        parameters_(Parameters::load(options.recipe.model, device_,
                                     choose_dtype(options.recipe.dtype, device_))),
        network_(inputs_.config, parameters_),
        recipe_sha256_(recipe_digest(options.recipe, parameters_.dtype())),
        state_path_(options.output_folder / "_train" / "state.safetensors"),
        done_path_(options.output_folder / "_train" / "done") {
    at::set_num_threads(options.num_threads > 0 ? options.num_threads : usable_cores());
    // It plans every shape anew, and hardly two steps have the same.
    at::globalContext().setSDPUseCuDNN(false);
    fs::create_directories(state_path_.parent_path());
    for (const StageOptions& stage : options.recipe.stages) progress_.num_steps += stage.num_steps;
    if (!options.recipe.adapter.empty()) start_from_adapter();
  }

  TrainResult run() {
    if (fs::exists(done_path_)) return result_of_done();
    const std::optional<TrainingState> state = TrainingState::read(state_path_);
    if (state) require_same_recipe(state_path_, state->recipe_sha256);
    std::int64_t first_stage = 0;
    if (state) {
      first_stage = state->stage;
      for (std::int64_t i = 0; i < first_stage; ++i) {
        result_.steps_done_before += options_.recipe.stages[static_cast<std::size_t>(i)].num_steps;
      }
      result_.steps_done_before += state->step;
    }
    result_.steps_done = result_.steps_done_before;
    progress_.steps_done_before = progress_.steps_done = result_.steps_done_before;
    metrics_.emplace(options_.output_folder / "metrics.jsonl", result_.steps_done_before);
    const auto num_stages = std::ssize(options_.recipe.stages);
    for (std::int64_t i = 0; i < num_stages && !result_.stopped; ++i) {
      run_stage(i, state && i <= first_stage ? &*state : nullptr, i < first_stage);
    }
    if (!result_.stopped) finish();
    return result_;
  }

 private:
  void start_from_adapter() {
    const Recipe& recipe = options_.recipe;
    const Adapter adapter = Adapter::read(recipe.adapter);
    const std::string found = model_fingerprint(recipe.model);
    if (adapter.base_sha256 != found) {
      throw Error(ErrorCategory::Model, recipe.adapter.string() + ": stands on " +
                                            adapter.base_sha256 + ", " + recipe.model.string() +
                                            " is " + found);
    }
    parameters_.start_from(adapter);
  }

  void require_same_recipe(const fs::path& path, const std::string& recipe_sha256) const {
    if (recipe_sha256 == recipe_sha256_) return;
    throw Error(ErrorCategory::Usage,
                path.string() + ": is of another recipe or model; choose another folder (-o)");
  }

  TrainResult result_of_done() {
    std::string recipe_sha256;
    std::ifstream(done_path_) >> recipe_sha256;
    require_same_recipe(done_path_, recipe_sha256);
    const std::int64_t num_steps = progress_.num_steps;
    const MetricsFile metrics(options_.output_folder / "metrics.jsonl", num_steps);
    progress_.steps_done_before = progress_.steps_done = num_steps;
    return {false, num_steps, num_steps, metrics.rows().empty() ? 0 : metrics.rows().back().loss};
  }

  /// @param is_over  done by an earlier run: its tensors are made again, and the last of these
  ///                 stages' state fills them
  void run_stage(std::int64_t number, const TrainingState* state, bool is_over) {
    const StageOptions& options = options_.recipe.stages[static_cast<std::size_t>(number)];
    progress_.stage = static_cast<int>(number);
    Stage stage(options, {inputs_, parameters_, network_},
                mix_bits(options_.recipe.seed + static_cast<std::uint64_t>(number)));
    if (is_over) return;
    Adamw optimizer({.weight_decay = options.weight_decay});
    BestWeights best;
    std::int64_t step = 0;
    if (state != nullptr) {
      restore(state->masters, stage);
      step = state->step;
      optimizer.restore(step, state->optimizer);
      best = state->best;
    }
    if (step == options.num_steps) return;
    stage.open(CaptionSource::parse(options_.recipe.caption_from), step, options_.num_workers);
    for (; step < options.num_steps; ++step) {
      StepMetrics row = take_step(options, stage, optimizer, step);
      const bool is_last = step + 1 == options.num_steps;
      if (stage.has_validation() && (is_last || (step + 1) % options.validate_every_steps == 0)) {
        row.validation = stage.validate();
        require_finite(row);
        if (options.keep_best) offer(row, best);
      }
      note(row);
      if (is_last && options.keep_best) {
        log_info(formatted("stage %s: validation was best after step %ld: %.4f",
                           options.name.c_str(), best.step, best.loss));
        restore(best.masters, stage);
      }
      const bool stop = progress_.stop_requested && !is_last;
      if (stop || is_last || (step + 1) % options_.recipe.save_every_steps == 0) {
        save({recipe_sha256_, number, step + 1, parameters_.masters(), optimizer.state(),
              is_last ? BestWeights() : best});
      }
      if (stop) {
        result_.stopped = true;
        return;
      }
    }
  }

  StepMetrics take_step(const StageOptions& options, Stage& stage, Adamw& optimizer,
                        std::int64_t step) {
    StepMetrics row = stage.compute_gradients();
    row.stage = options.name;
    row.step = step + 1;
    row.rate = schedule(step, options.num_steps, options.warmup_steps, options.final_rate);
    row.gradient_norm = clip_gradients(parameters_.trained(), options.clip_norm);
    require_finite(row);
    optimizer.step(parameters_.trained(), stage.rates(row.rate));
    return row;
  }

  void restore(const std::map<std::string, at::Tensor>& masters, Stage& stage) {
    for (const auto& [name, value] : masters) parameters_.restore(name, value);
    stage.set_trained();  // the restored masters are new tensors
  }

  void offer(const StepMetrics& row, BestWeights& best) const {
    if (!(*row.validation < best.loss)) return;
    best.loss = *row.validation;
    best.step = row.step;
    for (const auto& [name, master] : parameters_.trained()) {
      best.masters[name] = master.detach().clone();
    }
  }

  /// What follows such a step is no model; the last saved state still is.
  void require_finite(const StepMetrics& row) const {
    if (std::isfinite(row.loss) && std::isfinite(row.gradient_norm) &&
        std::isfinite(row.validation.value_or(0))) {
      return;
    }
    throw Error(ErrorCategory::Model,
                "stage \"" + row.stage + "\" step " + std::to_string(row.step) +
                    ": loss or gradient is not finite; the state before it is kept: lower "
                    "learning_rate or clip_norm in the recipe, and train into another folder (-o)");
  }

  void note(const StepMetrics& row) {
    constexpr double kSmoothing = 0.95;
    metrics_->add(row);
    progress_.loss = result_.steps_done == result_.steps_done_before
                         ? row.loss
                         : kSmoothing * progress_.loss + (1 - kSmoothing) * row.loss;
    ++result_.steps_done;
    result_.last_loss = row.loss;
    progress_.steps_done = result_.steps_done;
  }

  void save(const TrainingState& state) {
    state.write(state_path_);
    write_atomically(options_.output_folder / "loss.svg", loss_plot(metrics_->rows()));
  }

  void finish() {
    write_trained_model(options_.recipe.model, parameters_, options_.output_folder);
    write_atomically(done_path_, recipe_sha256_ + "\n");
    std::vector<fs::path> left;  // the state, and what killed runs began to write
    for (const auto& entry : fs::directory_iterator(done_path_.parent_path())) {
      if (entry.path() != done_path_) left.push_back(entry.path());
    }
    for (const fs::path& path : left) fs::remove(path);
  }

  const TrainOptions& options_;
  TrainProgress& progress_;
  ModelInputs inputs_;
  at::Device device_;
  Parameters parameters_;
  Network network_;
  std::string recipe_sha256_;
  fs::path state_path_;
  fs::path done_path_;
  std::optional<MetricsFile> metrics_;
  TrainResult result_;
};

}  // namespace

TrainResult train(const TrainOptions& options, TrainProgress& progress) {
  require_writable_folder(options.output_folder);
  require_other_folder(options.recipe.model, options.output_folder);
  return Run(options, progress).run();
}

}  // namespace aitqe
