#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/quality/prompt_template.h"

namespace aitqe {

class Tokenizer;

/// Stands in Prompt::ids where one image feature goes; no token has this id.
inline constexpr std::int32_t kImageSlot = -1;

/// What a caption may do to the prompt.
enum class CaptionSpecials {
  /// Nothing: a caption is text. Special-token spellings become ordinary tokens.
  AsText,
  /// What the reference lets it do (Note [Reference caption rules] in prompt.cpp).
  /// For parity tests and `--reference-specials` only: the caption is not trusted.
  Reference,
};

struct PromptOptions {
  /// Image slots at the start; `image_tile_tokens` of the checkpoint. At least 1.
  int num_image_tokens = 729;
  /// With CaptionSpecials::Reference a caption that yields one of these ids is refused, as the
  /// reference does for `pad_token_index` and `image_token_index` of the checkpoint.
  std::vector<std::int32_t> ids_the_reference_refuses;
};

struct Prompt {
  /// `num_image_tokens` slots, the ids of `after_image`, the ids of the question.
  std::vector<std::int32_t> ids;
  /// The caption spells a special token of this tokenizer. Harmless with AsText; reported.
  bool special_token_in_caption = false;
};

/// Turns captions into input ids. Image slots come first and are assembled, never parsed, so one
/// image's keys and values can serve several captions.
/// Source: `MMDataProcessor` of the reference; equal to it for every caption free of its markers.
/// Immutable after construction; safe to call from many threads.
class PromptBuilder {
 public:
  /// @throws Error(Model) when `num_image_tokens` is below 1.
  PromptBuilder(PromptTemplate prompt_template, std::shared_ptr<const Tokenizer> tokenizer,
                PromptOptions options);

  /// @param caption  any bytes; invalid UTF-8 becomes U+FFFD, nothing else is changed or stripped.
  /// @throws SampleError with CaptionSpecials::Reference where the reference raises.
  Prompt build(std::string_view caption, CaptionSpecials specials) const;

  /// The part behind the image of `build(caption, CaptionSpecials::AsText)`.
  std::vector<std::int32_t> question(std::string_view caption) const;
  /// Ids at the start of every prompt: image slots and what stands right behind them.
  std::int64_t num_image_ids() const { return static_cast<std::int64_t>(image_ids_.size()); }

  const PromptTemplate& prompt_template() const { return template_; }

 private:
  void refuse_ids(const std::vector<std::int32_t>& question_ids) const;

  PromptTemplate template_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  PromptOptions options_;
  std::vector<std::string> special_tokens_;
  std::vector<std::int32_t> image_ids_;  // slots and `after_image`, the same for every caption
};

/// The question, `before + caption + after`, as the reference would tokenise it: rules 1 to 4 of
/// Note [Reference caption rules]. @throws SampleError where the reference raises on the text
/// itself. Exposed for tests.
std::string apply_reference_caption_rules(std::string question);

}  // namespace aitqe
