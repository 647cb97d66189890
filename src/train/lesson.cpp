#include "aitqe/train/lesson.h"

#include <algorithm>

#include "aitqe/quality/answer_text.h"

namespace aitqe {

namespace {

void extend(TargetSequence& sequence, const std::vector<std::int32_t>& ids, float weight) {
  sequence.ids.insert(sequence.ids.end(), ids.begin(), ids.end());
  sequence.weights.insert(sequence.weights.end(), ids.size(), weight);
}

/// Scores on the model's own scale, and without what is not taught.
Assessment to_teach(const Assessment& assessment, const AnswerKeys& keys, bool full) {
  Assessment taught = assessment;
  if (!full) {
    taught.scores = Scores();
    taught.explanations = Explanations();
    taught.scores.overall = assessment.scores.overall;
  }
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    double& score = taught.scores.at(static_cast<ScoreField>(i));
    if (score != kNoScore) score = std::clamp(score, keys.lowest_score, keys.highest_score);
  }
  return taught;
}

}  // namespace

LessonBuilder::LessonBuilder(std::shared_ptr<const PromptBuilder> prompts,
                             std::shared_ptr<const Tokenizer> tokenizer, std::int32_t eos_id,
                             const StageOptions& stage)
    : prompts_(std::move(prompts)),
      tokenizer_(std::move(tokenizer)),
      eos_id_(eos_id),
      task_(stage.task),
      verdict_weight_(static_cast<float>(stage.verdict_weight)),
      is_swapping_(stage.swapped_captions > 0),
      caption_share_(stage.caption_share),
      full_answers_(stage.full_answers) {
  for (char digit = '0'; digit <= '9'; ++digit) {
    digits_.push_back(tokenizer_->token_id(std::string_view(&digit, 1)).value_or(-1));
  }
}

std::vector<std::int32_t> LessonBuilder::encode(const std::string& text) const {
  return tokenizer_->encode(text, SpecialTokens::AsText);
}

TargetSequence LessonBuilder::prompt(const std::string& caption) const {
  TargetSequence sequence;
  sequence.ids = prompts_->build(caption, CaptionSpecials::AsText).ids;
  sequence.weights.assign(sequence.ids.size(), 0.0F);
  return sequence;
}

Lesson LessonBuilder::build(const TrainingImage& image, Random& random) const {
  Lesson lesson;
  for (const TrainingText& text : image.good) lesson.true_captions.push_back(text.caption);
  const bool describe = task_ == StageTask::Caption || random.unit() < caption_share_;
  if (task_ == StageTask::Judge) {
    if (!image.good.empty()) {
      const TrainingText& good = random.pick(image.good);
      lesson.caption = good.caption;
      add_answer(good, lesson);
    }
    if (!image.bad.empty()) {
      const TrainingText& bad = random.pick(image.bad);
      add_answer(bad, lesson);
      // An answer without a new caption is the score already.
      if (bad.record.assessment.recaption) add_forced_score(bad, lesson);
    }
  }
  if (describe && !image.good.empty()) {
    add_description(random.pick(image.good).caption, lesson);
  }
  return lesson;
}

/// The first token of an answer where a rewrite and a keep differ.
std::size_t LessonBuilder::verdict_place() const {
  const AnswerKeys& keys = prompts_->prompt_template().keys;
  const std::vector<std::int32_t> rewrite = encode(keys.recaption_prefix());
  const std::vector<std::int32_t> keep = encode(keys.score_prefix());
  const auto differ = std::mismatch(rewrite.begin(), rewrite.end(), keep.begin(), keep.end());
  return static_cast<std::size_t>(differ.first - rewrite.begin());
}

void LessonBuilder::add_answer(const TrainingText& text, Lesson& lesson) const {
  const AnswerKeys& keys = prompts_->prompt_template().keys;
  TargetSequence sequence = prompt(text.caption);
  const std::string answer =
      render_answer(to_teach(text.record.assessment, keys, full_answers_), keys);
  const std::string before_score = "\"" + keys.scores[0] + "\": \"";
  const std::size_t verdict = verdict_place();
  // What is said of good captions counts as much as what is said of the bad ones, swapped or own.
  const float weight = is_swapping_ && text.record.is_good ? 2 * verdict_weight_ : verdict_weight_;
  std::string said;
  std::size_t place = 0;
  for (const std::int32_t id : encode(answer)) {
    const bool counts_more = place == verdict || said.ends_with(before_score);
    extend(sequence, {id}, counts_more ? weight : 1.0F);
    said += tokenizer_->token_bytes(id);
    ++place;
  }
  extend(sequence, {eos_id_}, 1.0F);
  lesson.sequences.push_back(std::move(sequence));

  TargetSequence probe = prompt(text.caption);
  extend(probe, encode(keys.score_prefix()), 0.0F);
  lesson.probes.push_back({lesson.sequences.size(), text.record.is_good});
  lesson.sequences.push_back(std::move(probe));
}

void LessonBuilder::add_forced_score(const TrainingText& text, Lesson& lesson) const {
  const AnswerKeys& keys = prompts_->prompt_template().keys;
  Assessment score_only = to_teach(text.record.assessment, keys, /*full=*/false);
  score_only.recaption.reset();
  const std::vector<std::int32_t> answer = encode(render_answer(score_only, keys));
  const std::size_t forced = encode(keys.score_prefix()).size();
  TargetSequence sequence = prompt(text.caption);
  for (std::size_t i = 0; i < answer.size(); ++i) {
    extend(sequence, {answer[i]}, i < forced ? 0.0F : i == forced ? verdict_weight_ : 1.0F);
  }
  lesson.sequences.push_back(std::move(sequence));
}

void LessonBuilder::add_swapped(std::span<Lesson> lessons, int count) const {
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    for (std::size_t k = 1; k <= static_cast<std::size_t>(count); ++k) {
      const std::size_t other = (i + k) % lessons.size();
      const std::string& caption = lessons[other].caption;
      const std::vector<std::string>& own = lessons[i].true_captions;
      const bool is_true = std::find(own.begin(), own.end(), caption) != own.end();
      if (other == i || caption.empty() || is_true) continue;
      // All of them together count as much as one bad caption of the image's own.
      add_mismatch({caption, other, verdict_weight_ / static_cast<float>(count)}, lessons[i]);
    }
  }
}

void LessonBuilder::add_mismatch(const Mismatch& mismatch, Lesson& lesson) const {
  const auto& [caption, owner, weight] = mismatch;
  const AnswerKeys& keys = prompts_->prompt_template().keys;
  const std::vector<std::int32_t> rewrite = encode(keys.recaption_prefix());
  TargetSequence verdict = prompt(caption);
  extend(verdict, {rewrite.begin(), rewrite.begin() + static_cast<std::ptrdiff_t>(verdict_place())},
         0.0F);
  extend(verdict, {rewrite[verdict_place()]}, weight);
  lesson.sequences.push_back(std::move(verdict));

  TargetSequence score = prompt(caption);
  extend(score, encode(keys.score_prefix()), 0.0F);
  lesson.swapped.push_back({lesson.sequences.size(), owner});
  lesson.sequences.push_back(score);
  const std::int32_t digit = digits_.at(static_cast<std::size_t>(keys.lowest_score));
  extend(score, {digit}, weight);
  lesson.sequences.push_back(std::move(score));
}

void LessonBuilder::add_description(const std::string& caption, Lesson& lesson) const {
  const AnswerKeys& keys = prompts_->prompt_template().keys;
  Assessment described;
  described.recaption = caption;
  // The brace goes: a score follows in a real answer.
  const std::size_t described_bytes = render_answer(described, keys).size() - 1;
  described.scores.at(ScoreField::Overall) = keys.lowest_score;
  const std::size_t forced = encode(keys.recaption_prefix()).size();
  const std::vector<std::int32_t> ids = encode(render_answer(described, keys));
  TargetSequence sequence = prompt("");
  // Up to the closing quote, as it is spelt where the score follows: often in one token with what
  // is behind it.
  std::size_t bytes = 0;
  for (std::size_t i = 0; bytes < described_bytes; ++i) {
    extend(sequence, {ids.at(i)}, i < forced ? 0.0F : 1.0F);
    bytes += tokenizer_->token_bytes(ids[i]).size();
  }
  lesson.sequences.push_back(std::move(sequence));
}

}  // namespace aitqe
