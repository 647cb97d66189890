#include "aitqe/pipeline/answer_drafts.h"

#include <algorithm>
#include <string_view>

namespace aitqe {

namespace {

/// Tokens between a score and the one that completes the score's end.
std::vector<std::int32_t> tokens_of_score_end(const Tokenizer& tokenizer, const AnswerKeys& keys) {
  const std::string until_score = keys.score_prefix() + "1";
  const std::vector<std::int32_t> ids =
      tokenizer.encode(until_score + keys.score_end + "\"}", SpecialTokens::AsText);
  std::vector<std::int32_t> tokens;
  std::size_t end = 0;  // of the text up to and with the token at hand
  for (const std::int32_t id : ids) {
    const std::size_t begin = end;
    end += tokenizer.token_bytes(id).size();
    if (end >= until_score.size() + keys.score_end.size()) break;
    if (begin >= until_score.size()) tokens.push_back(id);
  }
  return tokens;
}

}  // namespace

AnswerDrafts::AnswerDrafts(const Tokenizer& tokenizer, const AnswerKeys& keys)
    : recaption_prefix_(tokenizer.encode(keys.recaption_prefix(), SpecialTokens::AsText)),
      score_prefix_(tokenizer.encode(keys.score_prefix(), SpecialTokens::AsText)),
      score_end_(tokens_of_score_end(tokenizer, keys)),
      recaption_begin_(keys.recaption_prefix()),
      between_("\", \"" + keys.scores[0] + "\": \"") {
  for (std::size_t i = 0; i < between_.size(); ++i) {
    between_rest_.push_back(tokenizer.encode(between_.substr(i), SpecialTokens::AsText));
  }
}

std::vector<std::int32_t> AnswerDrafts::after(const GeneratedText& said, bool rewrites,
                                              bool has_scored) const {
  if (has_scored) return score_end_;
  const std::vector<std::int32_t>& ids = said.ids();
  const std::vector<std::int32_t>& prefix = rewrites ? recaption_prefix_ : score_prefix_;
  if (ids.size() < prefix.size() && std::equal(ids.begin(), ids.end(), prefix.begin())) {
    return {prefix.begin() + static_cast<std::ptrdiff_t>(ids.size()), prefix.end()};
  }
  const std::vector<std::int32_t>* rest = between(said.complete());
  return rest == nullptr ? std::vector<std::int32_t>() : *rest;
}

/// What is left of the text between recaption and score, where some of it has just been said.
const std::vector<std::int32_t>* AnswerDrafts::between(const std::string& text) const {
  if (!text.starts_with(recaption_begin_)) return nullptr;
  const std::string_view caption = std::string_view(text).substr(recaption_begin_.size());
  for (std::size_t said = std::min(caption.size(), between_rest_.size()); said-- > 1;) {
    if (!caption.ends_with(std::string_view(between_).substr(0, said))) continue;
    const std::string_view before = caption.substr(0, caption.size() - said);
    const bool is_within = before.ends_with('\\') || caption.find(between_) != caption.npos;
    return is_within ? nullptr : &between_rest_[said];
  }
  return nullptr;
}

}  // namespace aitqe
