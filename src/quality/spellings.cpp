#include "spellings.h"

#include <algorithm>
#include <array>
#include <string>

#include "aitqe/base/ascii.h"
#include "text_search.h"
#include "words.h"

namespace aitqe {
namespace {

/// `<|name|>`: how Qwen and most others spell special tokens.
bool has_bar_token(std::string_view text) {
  constexpr std::size_t kLongestNameBytes = 48;
  for (std::size_t at = text.find("<|"); at != kNowhere; at = text.find("<|", at + 2)) {
    const std::string_view name = text.substr(at + 2, kLongestNameBytes);
    const std::size_t end = name.find_first_of("| \t\r\n<>");
    if (end != kNowhere && end > 0 && name.substr(end).starts_with("|>")) return true;
  }
  return false;
}

/// Whether `key` stands in `text` (both lower-case) like a key: with a colon behind it.
bool has_key(std::string_view text, std::string_view key) {
  if (key.empty()) return false;
  for (std::size_t at = text.find(key); at != kNowhere; at = text.find(key, at + key.size())) {
    const std::size_t next = text.find_first_not_of("\"' ", at + key.size());
    if (next != kNowhere && text[next] == ':') return true;
  }
  return false;
}

}  // namespace

bool has_special_token(std::string_view text, const AnswerKeys& keys) {
  // The reference's markers, then the other common spellings.
  static constexpr auto kTokens = std::to_array<std::string_view>(
      {"<img_start>", "<img_end>", "<noloss_start>", "<noloss_end>", "<image>", "</image>", "<s>",
       "</s>", "<pad>", "<unk>", "<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>", "[INST]",
       "[/INST]", "<<SYS>>"});
  const auto is_inside = [text](std::string_view token) { return contains(text, token); };
  return contains(text, keys.score_end) || has_bar_token(text) ||
         std::any_of(kTokens.begin(), kTokens.end(), is_inside);
}

bool has_prompt_marker(std::string_view low, const AnswerKeys& keys) {
  if (contains(low, "evaluate the caption:")) return true;
  if (contains(low, "respond using a dictionary structure")) return true;
  if (has_key(low, ascii::lower(keys.recaption))) return true;
  const auto is_inside = [low](const std::string& key) { return has_key(low, ascii::lower(key)); };
  return std::any_of(keys.scores.begin(), keys.scores.end(), is_inside) ||
         std::any_of(keys.explanations.begin(), keys.explanations.end(), is_inside);
}

bool has_loop(std::string_view text, std::size_t repeats) {
  constexpr std::size_t kLongestPhrase = 8;
  const std::vector<std::string_view> words = split_at_space(text);
  for (std::size_t period = 1; period <= kLongestPhrase; ++period) {
    std::size_t run = 0;  // words in a row that equal the one `period` before
    for (std::size_t i = period; i < words.size(); ++i) {
      run = words[i] == words[i - period] ? run + 1 : 0;
      if (run >= period * (repeats - 1)) return true;
    }
  }
  return false;
}

}  // namespace aitqe
