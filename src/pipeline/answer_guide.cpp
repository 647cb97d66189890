#include "aitqe/pipeline/answer_guide.h"

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cmath>
#include <string_view>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/quality/assessment.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

namespace {
constexpr std::size_t kFirstLogits = 20;
constexpr int kTen = 10;
}  // namespace

AnswerRules::AnswerRules(std::shared_ptr<const Tokenizer> tokenizer_in, AnswerKeys keys_in,
                         std::vector<std::int32_t> eos_ids_in)
    : tokenizer(std::move(tokenizer_in)), keys(std::move(keys_in)), eos_ids(std::move(eos_ids_in)) {
  recaption_key = tokenizer->encode("{\"" + keys.recaption, SpecialTokens::AsText);
  recaption_prefix = tokenizer->encode(keys.recaption_prefix(), SpecialTokens::AsText);
  score_prefix = tokenizer->encode(keys.score_prefix(), SpecialTokens::AsText);
  for (char digit = '0'; digit <= '9'; ++digit) {
    digits.push_back(tokenizer->token_id(std::string_view(&digit, 1)).value_or(-1));
  }
  drafts = AnswerDrafts(*tokenizer, keys);
}

std::int64_t AnswerRules::most_tokens() const {
  constexpr std::size_t kTenLookAhead = 1;
  const std::size_t question = verify_with == nullptr ? 0 : verify_with->question("").size();
  return max_new_tokens +
         static_cast<std::int64_t>(recaption_prefix.size() + score_prefix.size() +
                                   recaption_key.size() + kTenLookAhead + question);
}

AnswerGuide::AnswerGuide(std::shared_ptr<const AnswerRules> rules, AnswerOrder order)
    : rules_(std::move(rules)), order_(order), text_(*rules_->tokenizer) {}

std::optional<Feed> AnswerGuide::next(const LogitsRows& logits) {
  for (std::int64_t row = 0; row < logits.num_rows; ++row) {
    if (!logits.is_usable(row)) throw SampleError("nan_logits: the model gave no usable logits");
  }
  const std::int64_t last = logits.num_rows - 1;
  switch (phase_) {
    case Phase::Prompt: {
      if (rules_->with_first_logits) answer_.first_logits = logits.top(0, kFirstLogits);
      const std::vector<std::int32_t>& key = rules_->recaption_key;
      if (!key.empty()) {
        // By the second token: the first may begin an answer of either kind.
        const std::size_t telling = std::min<std::size_t>(1, key.size() - 1);
        looks_like_rewrite_ = logits.largest(static_cast<std::int64_t>(telling)) == key[telling];
        answer_.p_rewrite = 1.0;
        for (std::size_t i = 0; i < key.size(); ++i) {
          answer_.p_rewrite *= logits.probability(static_cast<std::int64_t>(i), key[i]);
        }
      }
      return begin(logits);
    }
    case Phase::Generate:
      return generate_rows(logits);
    case Phase::Ten:
      answer_.score_expected =
          expected_score(digits_at_score_, logits.probability(last, rules_->digits[0]));
      phase_ = Phase::Generate;
      return drafted(commit(pending_id_));
    case Phase::ForcedScore:
      answer_.score_forced = score_behind_key(logits);
      return ask_more();
    case Phase::RecaptionScore:
      answer_.score_recaption = score_behind_key(logits);
      return ask_more();
  }
  return std::nullopt;
}

std::span<const std::int32_t> AnswerGuide::look_ahead() const {
  const std::vector<std::int32_t>& key = rules_->recaption_key;
  return key.empty() ? std::span<const std::int32_t>() : std::span(key).first(key.size() - 1);
}

std::optional<Feed> AnswerGuide::begin(const LogitsRows& logits) {
  phase_ = Phase::Generate;
  switch (order_.start) {
    case AnswerStart::Free:
      if (rules_->keys.rewrite_above) {
        looks_like_rewrite_ = answer_.p_rewrite > *rules_->keys.rewrite_above;
        return begin_with(looks_like_rewrite_ ? rules_->recaption_prefix : rules_->score_prefix);
      }
      // What was looked ahead at is a draft like any other.
      draft_.assign(look_ahead().begin(), look_ahead().end());
      return generate_rows(logits);
    case AnswerStart::ForceRecaption:
      return begin_with(rules_->recaption_prefix);
    case AnswerStart::ForceScore:
      return begin_with(rules_->score_prefix);
  }
  return std::nullopt;
}

std::optional<Feed> AnswerGuide::begin_with(const std::vector<std::int32_t>& prefix) {
  const std::span<const std::int32_t> ahead = look_ahead();
  assert(!prefix.empty());
  const std::size_t most = std::min(ahead.size(), prefix.size() - 1);  // a feed is never empty
  const auto [end, unused] = std::mismatch(ahead.begin(), ahead.begin() + most, prefix.begin());
  const std::ptrdiff_t common = end - ahead.begin();
  std::optional<Feed> feed = force(prefix, Feed::From::Here);
  feed->tokens.erase(feed->tokens.begin(), feed->tokens.begin() + common);
  feed->num_forgotten = std::ssize(ahead) - common;
  return feed;
}

std::optional<Feed> AnswerGuide::force(const std::vector<std::int32_t>& prefix, Feed::From from) {
  for (const std::int32_t id : prefix) text_.push(id);
  draft_.clear();
  return Feed{prefix, from, /*keep=*/true, /*num_logits=*/1};
}

std::optional<Feed> AnswerGuide::generate_rows(const LogitsRows& logits) {
  // Behind a token that is sure, then behind every drafted one.
  for (std::int64_t row = 0;; ++row) {
    std::optional<Feed> feed = generate(logits, row);
    const std::int64_t num_after = logits.num_rows - 1 - row;
    const bool was_drafted = num_after > 0 && goes_on(feed) &&
                             feed->tokens.front() == draft_[static_cast<std::size_t>(row)];
    if (was_drafted) continue;
    if (feed) feed->num_forgotten = num_after;
    return drafted(std::move(feed));
  }
}

/// The answer itself goes on, by one token: nothing else is asked.
bool AnswerGuide::goes_on(const std::optional<Feed>& feed) const {
  return feed && phase_ == Phase::Generate && feed->from == Feed::From::Here &&
         feed->tokens.size() == 1;
}

std::optional<Feed> AnswerGuide::drafted(std::optional<Feed> feed) {
  return goes_on(feed) ? with_draft(std::move(*feed)) : feed;
}

Feed AnswerGuide::with_draft(Feed feed) {
  draft_ = rules_->drafts.after(text_, looks_like_rewrite_ || second_answer_, has_just_scored_);
  const std::size_t room = static_cast<std::size_t>(rules_->max_new_tokens) - text_.ids().size();
  if (draft_.size() > room) draft_.resize(room);
  feed.tokens.insert(feed.tokens.end(), draft_.begin(), draft_.end());
  feed.num_logits = static_cast<std::int64_t>(1 + draft_.size());
  return feed;
}

std::optional<Feed> AnswerGuide::generate(const LogitsRows& logits, std::int64_t row) {
  const std::int32_t id = logits.largest(row);
  const std::string_view bytes = rules_->tokenizer->token_bytes(id);
  const bool is_digit =
      !bytes.empty() && std::isdigit(static_cast<unsigned char>(bytes.front())) != 0;
  const bool begins_score = is_digit && at_score();
  has_just_scored_ = begins_score || (is_digit && has_just_scored_);
  if (second_answer_ || answer_.score_expected >= 0 || !begins_score) return commit(id);
  digits_at_score_ = logits.probabilities(row, rules_->digits);
  const bool ten_is_possible =
      rules_->keys.highest_score >= kTen && rules_->digits[0] >= 0 && rules_->digits[1] >= 0;
  if (!ten_is_possible) {
    answer_.score_expected = expected_score(digits_at_score_, 0.0);
    return commit(id);
  }
  pending_id_ = id;
  phase_ = Phase::Ten;
  return Feed{{rules_->digits[1]}, Feed::From::Here, /*keep=*/false};
}

std::optional<Feed> AnswerGuide::commit(std::int32_t id) {
  text_.push(id);
  const bool is_eos =
      std::find(rules_->eos_ids.begin(), rules_->eos_ids.end(), id) != rules_->eos_ids.end();
  const bool stopped = is_eos || (!rules_->full && text_.just_completed(rules_->keys.score_end));
  if (stopped || static_cast<int>(text_.ids().size()) >= rules_->max_new_tokens) return finish();
  return Feed{{id}, Feed::From::Here, /*keep=*/true};
}

std::optional<Feed> AnswerGuide::finish() {
  if (second_answer_) {
    answer_.asked_recaption = text_.text();
  } else {
    answer_.ids = text_.ids();
    answer_.text = text_.text();
  }
  return ask_more();
}

std::optional<Feed> AnswerGuide::ask_more() {
  const bool rewrites = answer_.text.starts_with("{\"" + rules_->keys.recaption);
  const bool verifies = rules_->verify_with != nullptr;
  if (rewrites && !has_forced_score_ && (order_.rewrite_below || verifies)) {
    has_forced_score_ = true;
    if (auto feed = ask_forced_score()) return feed;
  }
  const bool is_below = order_.rewrite_below && answer_.score_expected >= 0 &&
                        answer_.score_expected < *order_.rewrite_below;
  if (!rewrites && is_below && !second_answer_) {
    second_answer_ = true;
    phase_ = Phase::Generate;
    text_.clear();
    return force(rules_->recaption_prefix, Feed::From::Prompt);
  }
  if (verifies && !has_recaption_score_) {
    has_recaption_score_ = true;
    return ask_recaption_score();
  }
  return std::nullopt;
}

std::optional<Feed> AnswerGuide::ask_forced_score() {
  if (rules_->digits[1] < 0 || rules_->digits[0] < 0) return std::nullopt;
  phase_ = Phase::ForcedScore;
  std::vector<std::int32_t> look_ahead = rules_->score_prefix;
  look_ahead.push_back(rules_->digits[1]);
  return Feed{look_ahead, Feed::From::Prompt, /*keep=*/false, /*num_logits=*/2};
}

std::optional<Feed> AnswerGuide::ask_recaption_score() {
  const std::string& said = second_answer_ ? answer_.asked_recaption : answer_.text;
  const Assessment assessment = parse_answer(strip_python(said), rules_->keys);
  const bool can_score = rules_->digits[1] >= 0 && rules_->digits[0] >= 0;
  if (!assessment.recaption || assessment.is_recaption_cut || !can_score) return std::nullopt;
  std::vector<std::int32_t> question =
      rules_->verify_with->question(std::string(ascii::trim(*assessment.recaption)));
  question.insert(question.end(), rules_->score_prefix.begin(), rules_->score_prefix.end());
  question.push_back(rules_->digits[1]);
  // There is room for what the model itself can say; a text that takes more tokens is not scored.
  if (std::ssize(question) > rules_->most_tokens()) return std::nullopt;
  phase_ = Phase::RecaptionScore;
  return Feed{question, Feed::From::Image, /*keep=*/false, /*num_logits=*/2};
}

/// Of two rows: behind the score key, and behind it and a 1.
double AnswerGuide::score_behind_key(const LogitsRows& logits) const {
  return expected_score(logits.probabilities(0, rules_->digits),
                        logits.probability(1, rules_->digits[0]));
}

/// The text ends with the overall score's key, a colon, and nothing but what may stand before a
/// value.
bool AnswerGuide::at_score() const {
  const std::string& key = rules_->keys.scores[0];
  constexpr std::size_t kMostBetween = 8;
  const std::string& text = text_.complete();
  const std::size_t reach = std::min(text.size(), key.size() + kMostBetween);
  const std::string_view tail = std::string_view(text).substr(text.size() - reach);
  const std::size_t found = tail.rfind(key);
  if (found == std::string_view::npos) return false;
  const std::string_view between = tail.substr(found + key.size());
  return between.find(':') != std::string_view::npos &&
         between.find_first_not_of("\"': \t\r\n") == std::string_view::npos;
}

double AnswerGuide::expected_score(const std::vector<double>& digits,
                                   double p_zero_after_one) const {
  double mass = 0;
  double sum = 0;
  const auto add = [&](double score, double p) {
    if (score < rules_->keys.lowest_score || score > rules_->keys.highest_score) return;
    mass += p;
    sum += score * p;
  };
  const bool ten_is_possible = rules_->keys.highest_score >= kTen;
  for (int digit = 0; digit < kTen; ++digit) {
    add(digit, digit == 1 && ten_is_possible ? digits[1] * (1 - p_zero_after_one)
                                             : digits[static_cast<std::size_t>(digit)]);
  }
  add(kTen, digits[1] * p_zero_after_one);
  return mass > 0 ? sum / mass : -1.0;
}

Answer AnswerGuide::take_answer() { return std::move(answer_); }

}  // namespace aitqe
