#include "stage.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/contrast/grade.h"
#include "aitqe/train/augment.h"
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

/// Part `part` of `parts` of a step.
template <typename Image>
std::span<Image> part_of(std::span<Image> step, int part, int parts) {
  const auto bound = [&](int i) {
    return static_cast<std::size_t>(i) * step.size() / static_cast<std::size_t>(parts);
  };
  return step.subspan(bound(part), bound(part + 1) - bound(part));
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
  if (options.task == StageTask::Align) {
    vectors_ = CaptionVectors::read(options.vectors);
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
  for (std::size_t i = 0; i < concepts_.size(); ++i) {
    TrainingImage known;
    known.key = where + "line " + std::to_string(i + 1);
    for (const std::string& text : concepts_.texts(i)) {
      Random random(hash_text(text, seed_));
      known.good.push_back({text, {known.key, true, "", "", grade_good(text, random)}});
    }
    if (options_.task == StageTask::Align && known_captions(known).empty()) {
      throw Error(ErrorCategory::Model,
                  known.key + ": no vector of its texts in " + options_.vectors.string());
    }
    concept_images_.push_back(std::move(known));
  }
}

void Stage::open(const CaptionSource& captions, std::int64_t first_step, int num_workers) {
  if (options_.concepts_per_step > 0) open_concepts();
  images_ = TrainingSet::read(expand_inputs(options_.shards), captions);
  for (std::size_t i = 0; i < images_.size(); ++i) {
    const TrainingImage& image = images_.at(i);
    const bool is_known = options_.task != StageTask::Align || !known_captions(image).empty();
    const bool has_texts =
        !image.good.empty() && (options_.task != StageTask::Judge || !image.bad.empty());
    if (is_known && has_texts) usable_.push_back(i);
  }
  log_info(formatted("stage %s: %zu images, %zu of use here, %zu samples left out",
                     options_.name.c_str(), images_.size(), usable_.size(),
                     images_.unusable().size()));
  if (usable_.empty()) {
    throw Error(ErrorCategory::NoInput,
                "stage \"" + options_.name + "\": no image has the texts that this task needs");
  }
  const std::size_t steps_ahead = std::max<std::size_t>(3, static_cast<std::size_t>(num_workers));
  steps_ = std::make_unique<ParallelMap<std::int64_t, PreparedStep>>(
      [next = first_step]() mutable { return std::optional(next++); },
      [this](std::int64_t step) { return prepare(step); }, num_workers, steps_ahead);
}

std::vector<std::string> Stage::known_captions(const TrainingImage& image) const {
  std::vector<std::string> known;
  for (const TrainingText& text : image.good) {
    if (!vectors_.find(text.caption).empty()) known.push_back(text.caption);
  }
  return known;
}

Stage::PreparedStep Stage::prepare(std::int64_t step) const {
  PreparedStep prepared;
  Epochs epochs(usable_.size(), seed_);
  const int shown = options_.images_per_step + options_.concepts_per_step;
  for (int i = 0; i < shown; ++i) {
    const std::int64_t place = step * shown + i;
    const std::size_t index = usable_[epochs.item(place)];
    auto image = prepare_image_at(index, mix_bits(seed_ ^ static_cast<std::uint64_t>(place + 1)),
                                  i >= options_.images_per_step);
    if (image) prepared.push_back(std::move(*image));
  }
  if (options_.swapped_captions == 0) return prepared;
  for (int part = 0; part < options_.accumulate; ++part) {
    const std::span<PreparedImage> images = part_of(std::span(prepared), part, options_.accumulate);
    std::vector<Lesson> lessons;
    for (PreparedImage& image : images) lessons.push_back(std::move(image.lesson));
    lessons_.add_swapped(lessons, options_.swapped_captions);
    for (std::size_t i = 0; i < images.size(); ++i) images[i].lesson = std::move(lessons[i]);
  }
  return prepared;
}

std::optional<Stage::PreparedImage> Stage::prepare_image_at(std::size_t index, std::uint64_t seed,
                                                            bool with_concept) const {
  PreparedImage prepared;
  Random random(seed);
  std::function<RgbImage(const RgbImage&)> change;
  if (options_.augment) change = [&](const RgbImage& rgb) { return augment(rgb, random); };
  try {
    prepared.pixels = prepare_image(images_.image_bytes(index), model_.inputs.image_side_px,
                                    model_.inputs.pixel_norm, {}, change)
                          .pixels.chw;
  } catch (const SampleError& error) {
    log_warning(images_.at(index).key + ": " + error.what());
    return std::nullopt;
  }
  if (with_concept) {
    const auto tokens = static_cast<double>(model_.inputs.config.num_image_tokens);
    prepared.painting = concepts_.draw(std::llround(std::sqrt(tokens)), random);
    teach(concept_images_[prepared.painting->concept_index], random, prepared);
  } else {
    teach(images_.at(index), random, prepared);
  }
  return prepared;
}

void Stage::teach(const TrainingImage& image, Random& random, PreparedImage& prepared) const {
  if (options_.task == StageTask::Align) {
    const std::span<const float> vector = vectors_.find(random.pick(known_captions(image)));
    prepared.vector.assign(vector.begin(), vector.end());
  } else {
    prepared.lesson = lessons_.build(image, random);
  }
}

at::Tensor Stage::vision(std::span<const PreparedImage> images) const {
  const std::int64_t side = model_.inputs.image_side_px;
  at::Tensor pixels = at::empty({std::ssize(images), 3, side, side}, at::kFloat);
  auto* to = pixels.mutable_data_ptr<float>();
  for (const PreparedImage& image : images) to = std::ranges::copy(image.pixels, to).out;
  const at::Tensor features = model_.network.vision(pixels);
  std::vector<at::Tensor> painted;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const at::Tensor one = features[static_cast<std::int64_t>(i)];
    painted.push_back(images[i].painting ? concepts_.paint(one, *images[i].painting) : one);
  }
  return at::stack(painted);
}

at::Tensor Stage::features(std::span<const PreparedImage> images) const {
  if (vision_learns_) return model_.network.project(vision(images));
  at::Tensor seen;
  {
    const at::NoGradGuard no_grad;
    seen = vision(images);
  }
  return model_.network.project(seen);
}

StepMetrics Stage::compute_gradients() {
  const PreparedStep step = *steps_->next();
  if (step.empty()) {
    throw Error(ErrorCategory::NoInput,
                "stage \"" + options_.name + "\": no image of a whole step could be read");
  }
  if (options_.task != StageTask::Align) return judge(step);
  StepMetrics metrics;
  metrics.loss = align(step);
  return metrics;
}

double Stage::align(const PreparedStep& step) const {
  std::vector<at::Tensor> captions;
  for (const PreparedImage& image : step) captions.push_back(at::tensor(image.vector, at::kFloat));
  const at::Tensor pooled = features(step).mean(1);  // [B, hidden]
  const at::Tensor vectors = at::linear(pooled, model_.parameters.wide(kAlignHead));
  const at::Tensor loss = align_loss(vectors, at::stack(captions).to(vectors.device()));
  loss.backward();
  return loss.item<double>();
}

StepMetrics Stage::judge(const PreparedStep& step) const {
  double total_weight = 0;
  for (const PreparedImage& image : step) {
    for (const TargetSequence& sequence : image.lesson.sequences) {
      for (const float weight : sequence.weights) total_weight += weight;
    }
  }
  StepMetrics metrics;
  std::vector<std::pair<at::Tensor, at::Tensor>> losses;  // read at the end: a GPU is not waited for
  for (int part = 0; part < options_.accumulate; ++part) {
    const std::span<const PreparedImage> images =
        part_of(std::span(step), part, options_.accumulate);
    if (images.empty()) continue;
    std::vector<Lesson> lessons;
    for (const PreparedImage& image : images) lessons.push_back(image.lesson);
    const JudgeLoss loss =
        judge_loss(model_.network, lessons, features(images), lessons_, options_.rank_weight > 0);
    const double share = static_cast<double>(images.size()) / static_cast<double>(step.size());
    const at::Tensor tokens = loss.tokens / total_weight;
    const at::Tensor ranking = loss.ranking * share;
    (options_.rank_weight > 0 ? tokens + ranking * options_.rank_weight : tokens).backward();
    losses.emplace_back(tokens.detach(), ranking.detach());
  }
  for (const auto& [tokens, ranking] : losses) {
    metrics.loss += tokens.item<double>();
    if (options_.rank_weight > 0) metrics.ranking += ranking.item<double>();
  }
  return metrics;
}

}  // namespace aitqe
