#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aitqe/base/random.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/text/tokenizer.h"
#include "aitqe/train/recipe.h"
#include "aitqe/train/token_trees.h"
#include "aitqe/train/training_set.h"

namespace aitqe {

/// What one image teaches in one step.
struct Lesson {
  std::vector<TargetSequence> sequences;
  /// A sequence that ends right before the score of a caption.
  struct ScoreProbe {
    std::size_t sequence = 0;
    bool is_good = true;
  };
  std::vector<ScoreProbe> probes;
  /// The good caption that was taken; empty when there is none.
  std::string caption;
  std::vector<std::string> true_captions;  ///< all good ones of the image: none is shown as wrong
  /// A score probe under the good caption of another image.
  struct SwappedProbe {
    std::size_t sequence = 0;
    std::size_t lesson = 0;  ///< of the image that the caption belongs to
  };
  std::vector<SwappedProbe> swapped;
};

/// Writes down what a model should say of an image, in tokens: the very prompts and answers that
/// the engine deals with. Immutable; any number of threads.
class LessonBuilder {
 public:
  /// @param eos_id  ends every answer
  LessonBuilder(std::shared_ptr<const PromptBuilder> prompts,
                std::shared_ptr<const Tokenizer> tokenizer, std::int32_t eos_id,
                const StageOptions& stage);

  /// Judge: one good and one bad caption of the image, each with its answer; the bad one also with
  /// its score where a score is forced; sometimes a description besides. Caption: a description
  /// behind an empty caption. A function of image and `random` alone.
  Lesson build(const TrainingImage& image, Random& random) const;

  /// Judge: shows each image the captions of the `count` images behind it too, in a circle, as
  /// worth a rewrite and the lowest score. Captions that are equal are no mismatch.
  void add_swapped(std::span<Lesson> lessons, int count) const;

  const AnswerKeys& keys() const { return prompts_->prompt_template().keys; }
  /// Token of each digit, 0 to 9; -1: not one token.
  const std::vector<std::int32_t>& digits() const { return digits_; }

 private:
  void add_answer(const TrainingText& text, Lesson& lesson) const;
  void add_forced_score(const TrainingText& text, Lesson& lesson) const;
  void add_description(const std::string& caption, Lesson& lesson) const;
  struct Mismatch {
    const std::string& caption;
    std::size_t owner;  ///< lesson whose caption it is
    float weight;       ///< of the verdict, and of the score
  };
  void add_mismatch(const Mismatch& mismatch, Lesson& lesson) const;
  TargetSequence prompt(const std::string& caption) const;
  std::vector<std::int32_t> encode(const std::string& text) const;
  std::size_t verdict_place() const;

  std::shared_ptr<const PromptBuilder> prompts_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::int32_t eos_id_;
  StageTask task_;
  float verdict_weight_;
  bool is_swapping_;
  double caption_share_;
  bool full_answers_;
  std::vector<std::int32_t> digits_;
};

}  // namespace aitqe
