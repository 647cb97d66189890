#include "aitqe/train/step_maker.h"

#include <functional>
#include <set>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/contrast/grade.h"
#include "aitqe/pipeline/prepare.h"
#include "aitqe/train/augment.h"

namespace aitqe {

StepMaker::StepMaker(const StageOptions& options, Stock stock, TrainingSet images,
                     std::uint64_t seed)
    : options_(options), stock_(stock), images_(std::move(images)), seed_(seed) {
  if (options_.concepts_per_step > 0) learn_concepts();
  for (std::size_t i = 0; i < images_.size(); ++i) {
    const TrainingImage& image = images_.at(i);
    const bool is_known = options_.task != StageTask::Align || !known_captions(image).empty();
    const bool has_texts =
        !image.good.empty() || (options_.task == StageTask::Judge && !image.bad.empty());
    if (is_known && has_texts) usable_.push_back(i);
  }
  log_info(formatted("stage %s: %zu images, %zu of use here, %ld samples left out",
                     options_.name.c_str(), images_.size(), usable_.size(),
                     images_.unusable().count()));
  for (const auto& [code, reason] : images_.unusable().by_code()) {
    log_info(formatted("stage %s: left out %ld samples: %s, e.g. %s", options_.name.c_str(),
                       reason.count, code.c_str(), reason.example.c_str()));
  }
  if (usable_.empty()) {
    throw Error(ErrorCategory::NoInput,
                "stage \"" + options_.name + "\": no image has the texts that this task needs");
  }
  if (options_.neighbours > 0) learn_neighbours();
}

void StepMaker::learn_neighbours() {
  at::Tensor means = at::zeros({std::ssize(usable_), stock_.vectors.dim()}, at::kFloat);
  for (std::size_t place = 0; place < usable_.size(); ++place) {
    at::Tensor mean = means[static_cast<std::int64_t>(place)];
    for (const std::string& caption : known_captions(images_.at(usable_[place]))) {
      const std::span<const float> vector = stock_.vectors.find(caption);
      mean += at::tensor(at::ArrayRef<float>(vector.data(), vector.size()), at::kFloat);
    }
  }
  near_images_ = Neighbours(means);
  log_info(formatted("stage %s: %ld of %zu images have neighbours", options_.name.c_str(),
                     near_images_.count(), usable_.size()));
  if (near_images_.count() == 0) {
    throw Error(ErrorCategory::Model, options_.vectors.string() + ": stage \"" + options_.name +
                                          "\": no image has neighbours by these vectors; were they "
                                          "made of other captions?");
  }
  if (options_.concepts_per_step > 0) near_concepts_ = Neighbours(stock_.concepts.rows().cpu());
}

void StepMaker::learn_concepts() {
  const std::string where = options_.concepts.string() + ": ";
  for (std::size_t i = 0; i < stock_.concepts.size(); ++i) {
    TrainingImage known;
    known.key = where + "line " + std::to_string(i + 1);
    for (const std::string& text : stock_.concepts.texts(i)) {
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

std::vector<std::string> StepMaker::known_captions(const TrainingImage& image) const {
  std::vector<std::string> known;
  for (const TrainingText& text : image.good) {
    if (!stock_.vectors.find(text.caption).empty()) known.push_back(text.caption);
  }
  return known;
}

TrainingStep StepMaker::make(std::int64_t step) const {
  const int shown = options_.images_per_step + options_.concepts_per_step;
  return prepare_all(step * shown, options_.images_per_step, options_.concepts_per_step);
}

TrainingStep StepMaker::make_from(std::int64_t first, int num_images) const {
  return prepare_all(first, num_images, /*num_concepts=*/0);
}

TrainingStep StepMaker::prepare_all(std::int64_t first, int num_images, int num_concepts) const {
  TrainingStep prepared;
  Epochs epochs(usable_.size(), seed_);
  std::vector<std::size_t> followers;  // of the picture or concept that was shown last
  std::set<std::size_t> items;         // pictures that were shown
  for (int i = 0; i < num_images + num_concepts; ++i) {
    const std::int64_t place = first + i;
    Shown shown;
    shown.seed = mix_bits(seed_ ^ static_cast<std::uint64_t>(place + 1));
    shown.with_concept = i >= num_images;
    std::size_t item = epochs.item(place);
    if (i == num_images) followers.clear();  // pictures end, concepts begin
    while (!shown.with_concept && !followers.empty() && items.contains(followers.back())) {
      followers.pop_back();
    }
    const bool follows = !followers.empty();
    if (follows && shown.with_concept) shown.concept_index = followers.back();
    if (follows && !shown.with_concept) item = followers.back();
    const bool may_not_repeat = options_.neighbours > 0 && items.size() < usable_.size();
    while (may_not_repeat && items.contains(item)) item = (item + 1) % usable_.size();
    shown.index = usable_[item];
    items.insert(item);
    auto image = prepare(shown);
    if (follows) {
      followers.pop_back();
    } else if (options_.neighbours > 0 && image) {
      const Neighbours& near = shown.with_concept ? near_concepts_ : near_images_;
      followers =
          near.draw(image->painting ? image->painting->concept_index : item,
                    static_cast<std::size_t>(options_.neighbours), Random(mix_bits(shown.seed)));
    }
    if (image) prepared.push_back(std::move(*image));
  }
  if (options_.swapped_captions > 0) swap_captions(prepared);
  return prepared;
}

void StepMaker::swap_captions(TrainingStep& step) const {
  for (int part = 0; part < options_.accumulate; ++part) {
    const std::span<TaughtImage> images = part_of(std::span(step), part, options_.accumulate);
    std::vector<Lesson> lessons;
    for (TaughtImage& image : images) lessons.push_back(std::move(image.lesson));
    stock_.lessons.add_swapped(lessons, options_.swapped_captions);
    for (std::size_t i = 0; i < images.size(); ++i) images[i].lesson = std::move(lessons[i]);
  }
}

std::optional<TaughtImage> StepMaker::prepare(const Shown& shown) const {
  TaughtImage prepared;
  Random random(shown.seed);
  std::function<RgbImage(const RgbImage&)> change;
  if (options_.augment) change = [&](const RgbImage& rgb) { return augment(rgb, random); };
  try {
    prepared.pixels = prepare_image(images_.image_bytes(shown.index), stock_.inputs.image_side_px,
                                    stock_.inputs.pixel_norm, {}, change)
                          .pixels.chw;
  } catch (const SampleError& error) {
    log_warning(images_.at(shown.index).key + ": " + error.what());
    return std::nullopt;
  }
  if (shown.with_concept) {
    prepared.painting = stock_.concepts.draw(stock_.inputs.config.vision.grid_side(), random);
    if (shown.concept_index) prepared.painting->concept_index = *shown.concept_index;
    teach(concept_images_[prepared.painting->concept_index], random, prepared);
  } else {
    teach(images_.at(shown.index), random, prepared);
  }
  return prepared;
}

void StepMaker::teach(const TrainingImage& image, Random& random, TaughtImage& prepared) const {
  if (options_.task == StageTask::Align) {
    const std::span<const float> vector = stock_.vectors.find(random.pick(known_captions(image)));
    prepared.vector.assign(vector.begin(), vector.end());
  } else {
    prepared.lesson = stock_.lessons.build(image, random);
  }
}

}  // namespace aitqe
