#include "stage.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "aitqe/base/error.h"
#include "losses.h"

namespace aitqe {

namespace {

const std::string kAlignHead = "align_head.weight";  // [D, hidden]; no part of the model
constexpr double kAlignHeadRate = 1e-3;

std::int32_t end_id(const ModelInputs& inputs) { return inputs.config.eos_ids.front(); }

void require_single_digits(const StageOptions& options, const AnswerKeys& keys) {
  constexpr double kHighestDigit = 9;
  const bool compares_scores = options.rank_weight > 0 || options.swapped_captions > 0;
  if (compares_scores && keys.highest_score > kHighestDigit) {
    throw Error(ErrorCategory::Usage, "stage \"" + options.name +
                                          "\": rank_weight and swapped_captions need scores of one "
                                          "digit: set score_scale.highest to 9 in "
                                          "the model's aitqe.json");
  }
}

}  // namespace

std::string describe(const StageOptions& stage) {
  std::ostringstream text;
  text.precision(17);
  text << stage.name << ' ' << static_cast<int>(stage.task);
  for (const std::string& shard : stage.shards) text << ' ' << shard;
  text << ' ' << stage.vectors << ' ' << stage.num_steps << ' ' << stage.images_per_step << ' '
       << stage.accumulate;
  for (const TrainedTensors& one : stage.train)
    text << ' ' << one.tensors << ' ' << one.learning_rate;
  for (const TrainedLora& one : stage.lora) {
    text << ' ' << one.lora.modules << ' ' << one.lora.rank << ' ' << one.lora.alpha << ' '
         << one.learning_rate;
  }
  text << ' ' << stage.warmup_steps << ' ' << stage.final_rate << ' ' << stage.weight_decay << ' '
       << stage.clip_norm << ' ' << stage.augment << ' ' << stage.rank_weight << ' '
       << stage.swapped_captions << ' ' << stage.verdict_weight << ' ' << stage.caption_share << ' '
       << stage.full_answers;
  if (!stage.concepts.empty()) text << ' ' << stage.concepts << ' ' << stage.concepts_per_step;
  if (stage.neighbours > 0) text << " n " << stage.neighbours;
  for (const std::string& shard : stage.validation_shards) text << " v " << shard;
  if (!stage.validation_shards.empty()) {
    text << ' ' << stage.validation_images << ' ' << stage.validate_every_steps << ' '
         << stage.keep_best;
  }
  return text.str();
}

Stage::Stage(const StageOptions& options, StageModel model, std::uint64_t seed)
    : options_(options),
      model_(model),
      seed_(seed),
      lessons_(model.inputs.prompts, model.inputs.tokenizer, end_id(model.inputs), options) {
  require_single_digits(options, model.inputs.prompts->prompt_template().keys);
  for (const TrainedTensors& one : options.train) {
    const std::vector<std::string> names = model.parameters.matching(one.tensors);
    if (names.empty()) {
      throw Error(ErrorCategory::Usage,
                  "stage \"" + options.name + "\": no tensor fits \"" + one.tensors + "\"");
    }
    for (const std::string& name : names) learning_rates_[name] = one.learning_rate;
  }
  for (const TrainedLora& one : options.lora) {
    for (const std::string& name : model.parameters.add_lora(one.lora, seed)) {
      learning_rates_[name] = one.learning_rate;
    }
  }
  if (!options.vectors.empty()) vectors_ = CaptionVectors::read(options.vectors);
  if (options.task == StageTask::Align) {
    const std::int64_t hidden = model.inputs.config.text.hidden_size;
    model.parameters.add(kAlignHead, random_matrix(vectors_.dim(), hidden, Random(seed)));
    learning_rates_[kAlignHead] = kAlignHeadRate;
  }
  vision_learns_ =
      std::any_of(learning_rates_.begin(), learning_rates_.end(),
                  [](const auto& entry) { return entry.first.starts_with("vision_model."); });
  set_trained();
}

Stage::~Stage() = default;

void Stage::set_trained() {
  std::vector<std::string> names;
  for (const auto& [name, rate] : learning_rates_) names.push_back(name);
  model_.parameters.set_trained(names);
}

std::map<std::string, double> Stage::rates(double factor) const {
  std::map<std::string, double> rates = learning_rates_;
  for (auto& [name, rate] : rates) rate *= factor;
  return rates;
}

void Stage::open_concepts() {
  const ModelConfig& config = model_.inputs.config;
  const std::string where = options_.concepts.string() + ": ";
  if (config.vision.family != VisionFamily::EfficientnetLite) {
    throw Error(ErrorCategory::Usage,
                where + "concepts need a vision tower that ends in ReLU6 (efficientnet_lite)");
  }
  concepts_ = Concepts::read(options_.concepts, model_.parameters.device());
  if (concepts_.dim() != config.vision.hidden_size) {
    throw Error(ErrorCategory::Model, where + "rows of " + std::to_string(concepts_.dim()) +
                                          ", the vision tower gives " +
                                          std::to_string(config.vision.hidden_size));
  }
}

void Stage::open(const CaptionSource& captions, std::int64_t first_step, int num_workers) {
  if (options_.concepts_per_step > 0) open_concepts();
  const StepMaker::Stock stock = {model_.inputs, lessons_, vectors_, concepts_};
  maker_.emplace(options_, stock, TrainingSet::read(expand_inputs(options_.shards), captions),
                 seed_);
  if (!options_.validation_shards.empty()) open_validation(captions, stock);
  const auto steps_ahead = static_cast<std::size_t>(std::clamp(num_workers, 3, 8));
  steps_ = std::make_unique<ParallelMap<std::int64_t, TrainingStep>>(
      [next = first_step, end = options_.num_steps]() mutable {
        return next < end ? std::optional(next++) : std::nullopt;
      },
      [this](std::int64_t step) { return maker_->make(step); }, num_workers, steps_ahead);
}

void Stage::open_validation(const CaptionSource& captions, const StepMaker::Stock& stock) {
  StageOptions plain = options_;
  plain.name += ", validation";
  plain.augment = false;
  plain.concepts_per_step = 0;
  plain.neighbours = 0;
  const StepMaker maker(
      plain, stock, TrainingSet::read(expand_inputs(options_.validation_shards), captions), seed_);
  const auto num_images = static_cast<int>(
      std::min<std::int64_t>(options_.validation_images, std::ssize(maker.usable())));
  for (int first = 0; first < num_images; first += options_.images_per_step) {
    TrainingStep step =
        maker.make_from(first, std::min(options_.images_per_step, num_images - first));
    if (!step.empty()) validation_.push_back(std::move(step));
  }
  if (validation_.empty()) {
    throw Error(ErrorCategory::NoInput,
                "stage \"" + options_.name + "\": no image of validation_shards could be read");
  }
}

double Stage::validate() const {
  const at::NoGradGuard no_grad;
  double sum = 0;
  double num_images = 0;
  for (const TrainingStep& step : validation_) {
    const StepMetrics metrics = losses(step, Gradients::None);
    const auto images = static_cast<double>(step.size());
    sum += images * metrics.total;
    num_images += images;
  }
  return sum / num_images;
}

at::Tensor Stage::vision(std::span<const TaughtImage> images) const {
  const std::int64_t side = model_.inputs.image_side_px;
  at::Tensor pixels = at::empty({std::ssize(images), 3, side, side}, at::kFloat);
  auto* to = pixels.mutable_data_ptr<float>();
  for (const TaughtImage& image : images) to = std::ranges::copy(image.pixels, to).out;
  const at::Tensor features = model_.network.vision(pixels);
  std::vector<at::Tensor> painted;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const at::Tensor one = features[static_cast<std::int64_t>(i)];
    painted.push_back(images[i].painting ? concepts_.paint(one, *images[i].painting) : one);
  }
  return at::stack(painted);
}

at::Tensor Stage::features(std::span<const TaughtImage> images) const {
  if (vision_learns_) return model_.network.project(vision(images));
  at::Tensor seen;
  {
    const at::NoGradGuard no_grad;
    seen = vision(images);
  }
  return model_.network.project(seen);
}

StepMetrics Stage::compute_gradients() {
  const TrainingStep step = *steps_->next();
  if (step.empty()) {
    throw Error(ErrorCategory::NoInput,
                "stage \"" + options_.name + "\": no image of a whole step could be read");
  }
  return losses(step, Gradients::Wanted);
}

StepMetrics Stage::losses(const TrainingStep& step, Gradients gradients) const {
  if (options_.task != StageTask::Align) return judge(step, gradients);
  StepMetrics metrics;
  metrics.loss = metrics.total = align(step, gradients);
  return metrics;
}

double Stage::align(const TrainingStep& step, Gradients gradients) const {
  std::vector<at::Tensor> captions;
  for (const TaughtImage& image : step) captions.push_back(at::tensor(image.vector, at::kFloat));
  const at::Tensor pooled = features(step).mean(1);  // [B, hidden]
  const at::Tensor vectors = at::linear(pooled, model_.parameters.wide(kAlignHead));
  const at::Tensor loss = align_loss(vectors, at::stack(captions).to(vectors.device()));
  if (gradients == Gradients::Wanted) loss.backward();
  return loss.item<double>();
}

StepMetrics Stage::judge(const TrainingStep& step, Gradients gradients) const {
  double total_weight = 0;
  for (const TaughtImage& image : step) {
    for (const TargetSequence& sequence : image.lesson.sequences) {
      for (const float weight : sequence.weights) total_weight += weight;
    }
  }
  StepMetrics metrics;
  std::vector<std::pair<at::Tensor, at::Tensor>>
      losses;  // read at the end: a GPU is not waited for
  for (int part = 0; part < options_.accumulate; ++part) {
    const std::span<const TaughtImage> images = part_of(std::span(step), part, options_.accumulate);
    if (images.empty()) continue;
    std::vector<Lesson> lessons;
    for (const TaughtImage& image : images) lessons.push_back(image.lesson);
    const JudgeLoss loss =
        judge_loss(model_.network, lessons, features(images), lessons_, options_.rank_weight > 0);
    const double share = static_cast<double>(images.size()) / static_cast<double>(step.size());
    const at::Tensor tokens = loss.tokens / total_weight;
    const at::Tensor ranking = loss.ranking * share;
    if (gradients == Gradients::Wanted) {
      (options_.rank_weight > 0 ? tokens + ranking * options_.rank_weight : tokens).backward();
    }
    losses.emplace_back(tokens.detach(), ranking.detach());
  }
  for (const auto& [tokens, ranking] : losses) {
    metrics.loss += tokens.item<double>();
    if (options_.rank_weight > 0) metrics.ranking += ranking.item<double>();
  }
  metrics.total = metrics.loss + options_.rank_weight * metrics.ranking;
  return metrics;
}

}  // namespace aitqe
