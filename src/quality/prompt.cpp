#include "aitqe/quality/prompt.h"

#include <algorithm>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/text/tokenizer.h"
#include "aitqe/text/unicode.h"
#include "python_json.h"
#include "text_search.h"

// Note [Reference caption rules]
// The reference writes one string, `<img_start>{json}<img_end>\n{question}`, and rewrites it:
//   1. `<img_start>X<img_end>` on one line whose X is JSON is taken as an image. In a caption this
//      raises, or (file_type "I" and a path that exists) opens that file. Refused here either way.
//   2. Spaces after `<img_end>` go; then `<img_end>` not before a space or newline gets a newline.
//   3. Each remaining `<img_start>X<img_end>` on one line is deleted: the texts are collected
//      first and then removed one after the other, everywhere they stand.
//   4. `<noloss_start>...<noloss_end>`, over lines too, raises.
//   5. The question is tokenised with special tokens parsed; the pad token's or the image token's
//      id in it raises.
// The image part comes before the question and ends in `<img_end>`, so that rules 1 to 4 act on the
// question as they would on a string of its own. One thing is left out: a caption which quotes the
// very JSON of its image (the path is ours to choose, a caption cannot know it).

namespace aitqe {
namespace {

constexpr std::string_view kImageStart = "<img_start>";
constexpr std::string_view kImageEnd = "<img_end>";
constexpr std::string_view kNoLossStart = "<noloss_start>";
constexpr std::string_view kNoLossEnd = "<noloss_end>";
/// What Python's `re.findall("<img_start>(.*?)<img_end>", text)` gives.
std::vector<std::string> image_texts(std::string_view text) {
  std::vector<std::string> found;
  std::size_t end = 0;
  std::size_t start = text.find(kImageStart);
  while (start != kNowhere) {
    const std::size_t begin = start + kImageStart.size();
    if (end < begin) end = text.find(kImageEnd, begin);
    if (end == kNowhere) break;
    const std::size_t newline = text.substr(0, end).find('\n', begin);
    if (newline == kNowhere) {
      found.emplace_back(text.substr(begin, end - begin));
      start = text.find(kImageStart, end + kImageEnd.size());
    } else {
      start = text.find(kImageStart, newline);  // no start before the newline reaches this end
    }
  }
  return found;
}

void refuse_usable_images(const std::vector<std::string>& texts) {
  if (std::none_of(texts.begin(), texts.end(), python_json_loads)) return;
  throw SampleError(
      "reference_refuses: caption holds <img_start>JSON<img_end>, which the reference refuses "
      "(without --reference-specials it is ordinary text)");
}

std::string put_newlines_after_image_ends(std::string_view text) {
  std::string result;
  std::size_t at = 0;
  while (true) {
    const std::size_t found = text.find(kImageEnd, at);
    if (found == kNowhere) break;
    const std::size_t end = found + kImageEnd.size();
    result += text.substr(at, end - at);
    at = std::min(text.find_first_not_of(' ', end), text.size());
    if (at == text.size() || text[at] != '\n') result += '\n';
  }
  return result += text.substr(at);
}

/// Python's `text.replace(part, "")`.
std::string without(std::string_view text, std::string_view part) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t found = text.find(part); found != kNowhere; found = text.find(part, at)) {
    result += text.substr(at, found - at);
    at = found + part.size();
  }
  return result += text.substr(at);
}

void refuse_noloss(std::string_view text) {
  const std::size_t start = text.find(kNoLossStart);
  if (start == kNowhere || text.find(kNoLossEnd, start + kNoLossStart.size()) == kNowhere) return;
  throw SampleError(
      "reference_refuses: caption holds <noloss_start>...<noloss_end>, which the reference refuses "
      "(without --reference-specials it is ordinary text)");
}

}  // namespace

std::string apply_reference_caption_rules(std::string question) {
  const std::vector<std::string> texts = image_texts(question);
  refuse_usable_images(texts);
  question = put_newlines_after_image_ends(question);
  for (const std::string& text : texts) {
    question = without(question, std::string(kImageStart) + text + std::string(kImageEnd));
  }
  refuse_noloss(question);
  return question;
}

PromptBuilder::PromptBuilder(PromptTemplate prompt_template,
                             std::shared_ptr<const Tokenizer> tokenizer, PromptOptions options)
    : template_(std::move(prompt_template)),
      tokenizer_(std::move(tokenizer)),
      options_(std::move(options)),
      special_tokens_(tokenizer_->special_tokens()) {
  if (options_.num_image_tokens < 1) {
    throw Error(ErrorCategory::Model, "config.json: image_tile_tokens is " +
                                          std::to_string(options_.num_image_tokens) +
                                          ", expected at least 1");
  }
  image_ids_.assign(static_cast<std::size_t>(options_.num_image_tokens), kImageSlot);
  const auto after_image =
      tokenizer_->encode(repair_utf8(template_.after_image), SpecialTokens::AsText);
  image_ids_.insert(image_ids_.end(), after_image.begin(), after_image.end());
}

Prompt PromptBuilder::build(std::string_view caption, CaptionSpecials specials) const {
  const std::string text = repair_utf8(caption);
  std::string question = template_.before_caption + text + template_.after_caption;
  const bool as_reference = specials == CaptionSpecials::Reference;
  if (as_reference) question = apply_reference_caption_rules(std::move(question));

  const auto question_ids =
      tokenizer_->encode(question, as_reference ? SpecialTokens::Parse : SpecialTokens::AsText);
  if (as_reference) refuse_ids(question_ids);

  Prompt prompt;
  prompt.ids.reserve(image_ids_.size() + question_ids.size());
  prompt.ids = image_ids_;
  prompt.ids.insert(prompt.ids.end(), question_ids.begin(), question_ids.end());
  const auto is_in_caption = [&text](const std::string& token) {
    return !token.empty() && text.find(token) != kNowhere;
  };
  prompt.special_token_in_caption =
      std::any_of(special_tokens_.begin(), special_tokens_.end(), is_in_caption);
  return prompt;
}

std::vector<std::int32_t> PromptBuilder::question(std::string_view caption) const {
  return tokenizer_->encode(
      template_.before_caption + repair_utf8(caption) + template_.after_caption,
      SpecialTokens::AsText);
}

void PromptBuilder::refuse_ids(const std::vector<std::int32_t>& question_ids) const {
  for (const std::int32_t refused : options_.ids_the_reference_refuses) {
    if (std::find(question_ids.begin(), question_ids.end(), refused) == question_ids.end()) {
      continue;
    }
    throw SampleError("reference_refuses: caption holds \"" +
                      std::string(tokenizer_->token_bytes(refused)) +
                      "\", which the reference refuses "
                      "(without --reference-specials it is ordinary text)");
  }
}

}  // namespace aitqe
