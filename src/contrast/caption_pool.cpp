#include "aitqe/contrast/caption_pool.h"

#include <algorithm>

#include "aitqe/base/ascii.h"
#include "words.h"

namespace aitqe {

namespace {

constexpr int kDraws = 40;  // tries to find a caption that fits before giving up
/// A word in more captions than this says little about its picture.
constexpr std::size_t kCommonWord = 500;

bool starts_with_capital(std::string_view word) { return word[0] >= 'A' && word[0] <= 'Z'; }

bool is_all_capitals(std::string_view word) {
  return std::none_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

bool shares_word(const std::vector<std::string>& words, std::string_view text) {
  for (const std::string& other : content_words(text)) {
    if (std::find(words.begin(), words.end(), other) != words.end()) return true;
  }
  return false;
}

/// The same words in the same order, whatever the case and punctuation, or one within the other.
bool one_holds_the_other(std::string_view a, std::string_view b) {
  const auto spelled = [](std::string_view text) {
    std::string words = " ";
    for (const Word& word : words_of(text)) words += ascii::lower(word.in(text)) + " ";
    return words;
  };
  const std::string one = spelled(a);
  const std::string two = spelled(b);
  return one.find(two) != std::string::npos || two.find(one) != std::string::npos;
}

bool is_true_too(std::string_view found, std::string_view text,
                 std::span<const std::string> also_true) {
  return one_holds_the_other(found, text) ||
         std::any_of(also_true.begin(), also_true.end(), [found](const std::string& known) {
           return !words_of(known).empty() && one_holds_the_other(found, known);
         });
}

}  // namespace

std::size_t CaptionPool::add(PooledCaption caption) {
  captions_.push_back(std::move(caption));
  return captions_.size() - 1;
}

void CaptionPool::seal() {
  for (std::size_t i = 0; i < captions_.size(); ++i) {
    const PooledCaption& caption = captions_[i];
    if (caption.is_junk) {
      junk_.push_back(i);
      continue;
    }
    if (words_of(caption.text).empty()) continue;
    good_.push_back(i);
    if (!caption.group.empty()) by_group_[caption.group].push_back(i);
    for (const std::string& word : content_words(caption.text)) {
      std::vector<std::size_t>& holders = by_word_[word];
      if (holders.empty() || holders.back() != i) holders.push_back(i);
    }
    for (const Word& word : words_of(caption.text)) {
      const std::string_view spelled = word.in(caption.text);
      if (!starts_with_capital(spelled)) lower_words_.emplace(spelled);
    }
  }
  for (const std::size_t i : good_) {
    const std::string& text = captions_[i].text;
    const std::vector<Word> words = words_of(text);
    for (std::size_t place = 1; place < words.size(); ++place) {
      const std::string word(words[place].in(text));
      const bool named = starts_with_capital(word) && word.size() > 2 && !is_all_capitals(word) &&
                         !lower_words_.contains(ascii::lower(word));
      if (named && name_set_.insert(word).second) names_.push_back(word);
    }
  }
}

std::optional<std::size_t> CaptionPool::other(std::string_view text, std::string_view group,
                                              Random& random,
                                              std::span<const std::string> also_true) const {
  if (good_.empty()) return std::nullopt;
  const std::vector<std::string> words = content_words(text);
  for (int draw = 0; draw < kDraws; ++draw) {
    const std::size_t index = random.pick(good_);
    const PooledCaption& found = captions_[index];
    const bool same_group = !group.empty() && found.group == group;
    if (same_group || shares_word(words, found.text)) continue;
    if (!is_true_too(found.text, text, also_true)) return index;
  }
  return std::nullopt;
}

std::optional<std::size_t> CaptionPool::near(std::string_view text, std::string_view group,
                                             Random& random,
                                             std::span<const std::string> also_true) const {
  const auto draw_from = [&](const std::vector<std::size_t>& from) -> std::optional<std::size_t> {
    for (int draw = 0; draw < kDraws; ++draw) {
      const std::size_t index = random.pick(from);
      if (!is_true_too(captions_[index].text, text, also_true)) return index;
    }
    return std::nullopt;
  };
  const auto neighbours = by_group_.find(std::string(group));
  if (neighbours != by_group_.end()) {
    if (const auto index = draw_from(neighbours->second)) return index;
  }
  std::vector<const std::vector<std::size_t>*> holders;
  for (const std::string& word : content_words(text)) {
    const auto found = by_word_.find(word);
    if (found != by_word_.end() && found->second.size() <= kCommonWord) {
      holders.push_back(&found->second);
    }
  }
  std::stable_sort(holders.begin(), holders.end(),
                   [](const auto* a, const auto* b) { return a->size() < b->size(); });
  for (const auto* from : holders) {
    if (const auto index = draw_from(*from)) return index;
  }
  return std::nullopt;
}

std::optional<std::size_t> CaptionPool::junk(Random& random) const {
  return junk_.empty() ? std::nullopt : std::optional(random.pick(junk_));
}

bool CaptionPool::is_name(const std::string& word) const { return name_set_.contains(word); }

std::optional<std::string> CaptionPool::other_name(const std::string& word, Random& random) const {
  for (int draw = 0; draw < kDraws && !names_.empty(); ++draw) {
    const std::string& name = random.pick(names_);
    if (name != word) return name;
  }
  return std::nullopt;
}

}  // namespace aitqe
