#include "answer_scanner.h"

#include <algorithm>

#include "aitqe/base/ascii.h"
#include "score_text.h"
#include "text_search.h"

// Note [Stray quotes]
// Models often forget to escape quotes: `"A sign says "stop" here", "Overall Score": ...`. A quote
// ends a text only if what follows could follow a text in a dictionary:
//   - the end of the answer, provided no stray quote was seen before it in the text;
//   - a comma and then a key with its colon, or the cut start of a known key;
//   - a known key, its comma missing;
//   - `}`, provided nothing but more dictionary or the end comes after it.
// A quote that itself opens a known key shows that the text's own closing quote is missing; where
// the text ended is then a guess and the entry counts as cut.
// Each look ahead skips one run of white space and at most kLongestKeyBytes; a run lies behind at
// most three quotes, so the whole walk is linear.

namespace aitqe {
namespace {

using Kind = AnswerProblem::Kind;
/// Room for a known key with odd punctuation, and for any unknown one worth the name.
constexpr std::size_t kLongestKeyBytes = 128;

}  // namespace

AnswerScanner::AnswerScanner(std::string_view answer, const KeyTable& keys,
                             std::string_view score_end, ProblemLog& log)
    : text_(answer), keys_(keys), score_end_(score_end), log_(log) {
  for (std::size_t at = 0; at < text_.size(); ++at) {
    if (text_[at] == '\\') {
      ++at;
    } else if (is_quote(at) && is_known_key_at(at, text_[at])) {
      last_known_key_ = at;
    }
  }
}

std::optional<AnswerEntry> AnswerScanner::next() {
  KeyMatch match;
  if (is_first_) is_done_ = !find_start();
  if (is_done_ || !find_next_key(match)) {
    is_done_ = true;
    return std::nullopt;
  }
  is_first_ = false;
  AnswerEntry entry;
  entry.key = match.key;
  entry.known = match.known;
  at_ = skip_space(match.end);
  scan_value(entry);
  return entry;
}

bool AnswerScanner::find_start() {
  const std::size_t first = skip_space(0);
  if (first == text_.size()) {
    log_.add(Kind::Empty, "the answer holds nothing");
    return false;
  }
  const KeyMatch bare = key_at(first);
  if (bare.state == KeyState::Whole && bare.known) {
    log_.add(Kind::NoOpeningBrace, "starts with", bare.key);
    at_ = first;
    return true;
  }
  std::size_t brace = text_.find('{');
  for (std::size_t at = brace; at != kNowhere; at = text_.find('{', at + 1)) {
    const KeyMatch match = key_at(skip_space(at + 1));
    if (match.state == KeyState::Whole && match.known) {
      brace = at;
      break;
    }
  }
  if (brace == kNowhere) {
    log_.add(Kind::NoDictionary, "found", text_.substr(first));
    return false;
  }
  if (brace > first) log_.add(Kind::TextBefore, "", text_.substr(first, brace - first));
  at_ = brace + 1;
  return true;
}

/// Moves over separators and noise to the next key. False at the end of the dictionary.
bool AnswerScanner::find_next_key(KeyMatch& match) {
  while (true) {
    bool has_comma = false;
    for (at_ = skip_space(at_); at_ < text_.size() && text_[at_] == ',';
         at_ = skip_space(at_ + 1)) {
      has_comma = true;
    }
    if (at_ < text_.size() && text_[at_] == '}') {
      if (has_comma) log_.add(Kind::TrailingComma, "before `}`");
      finish_after_brace();
      return false;
    }
    match = key_at(at_);
    if (at_ >= text_.size() || match.state == KeyState::Cut) {
      finish_cut();
      return false;
    }
    if (match.state == KeyState::Whole) {
      if (text_[at_] == '\'') log_.add_once(Kind::SingleQuotes, "key", match.key);
      if (!is_first_ && !has_comma) log_.add_once(Kind::Malformed, "no comma before", match.key);
      return true;
    }
    skip_malformed();
  }
}

void AnswerScanner::finish_after_brace() {
  const std::size_t rest = skip_space(at_ + 1);
  if (rest < text_.size()) log_.add(Kind::TextAfter, "", text_.substr(rest));
}

void AnswerScanner::finish_cut() {
  const bool is_cut_after_score = score_end_at_ != kNowhere && only_separators_after(score_end_at_);
  if (!is_cut_after_score) log_.add(Kind::Cut, "no `}` at the end");
}

void AnswerScanner::skip_malformed() {
  const std::size_t end = std::min(text_.find_first_of("\"',{}", at_ + 1), text_.size());
  log_.add(Kind::Malformed, "skipped", text_.substr(at_, end - at_));
  at_ = end;
}

void AnswerScanner::scan_value(AnswerEntry& entry) {
  const bool is_score = entry.known && entry.known->kind == KnownKey::Kind::Score;
  if (is_quote(at_)) {
    const char quote = text_[at_++];
    if (quote == '\'') log_.add_once(Kind::SingleQuotes, "value of", entry.key);
    is_score ? scan_score_text(entry, quote) : scan_text(entry, quote);
  } else if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '[')) {
    skip_nested(entry);
  } else {
    scan_bare(entry);
  }
  const bool is_overall = is_score && entry.known->field == ScoreField::Overall;
  if (!is_overall || !before_score_end(entry.value, score_end_)) return;
  score_end_at_ = end_of(entry.value);
}

/// Texts for people, which may hold anything. See Note [Stray quotes].
void AnswerScanner::scan_text(AnswerEntry& entry, char quote) {
  const std::size_t begin = at_;
  bool has_inner_quotes = false;
  for (; at_ < text_.size(); ++at_) {
    if (text_[at_] == '\\') {
      ++at_;
      continue;
    }
    if (text_[at_] != quote) continue;
    if (ends_text(at_, has_inner_quotes)) {
      entry.value = text_.substr(begin, at_ - begin);
      ++at_;
      return;
    }
    if (is_known_key_at(at_, quote)) {
      log_.add(Kind::UnclosedText, "value of", entry.key);
      entry.value = ascii::trim(text_.substr(begin, at_ - begin), " \t\r\n,");
      entry.is_cut = true;
      at_ = end_of(entry.value);
      return;
    }
    if (!has_inner_quotes) log_.add(Kind::UnescapedQuote, "in the value of", entry.key);
    has_inner_quotes = true;
  }
  at_ = text_.size();
  entry.value = text_.substr(begin);
  entry.is_cut = true;
}

/// Scores are short: they end at the mark, the first quote or the line's end.
void AnswerScanner::scan_score_text(AnswerEntry& entry, char quote) {
  const std::size_t begin = at_;
  const char stops[] = {quote, '\n'};
  const std::size_t end =
      std::min(text_.find_first_of(std::string_view(stops, 2), begin), text_.size());
  const bool is_closed = end < text_.size() && text_[end] == quote && !is_known_key_at(end, quote);
  entry.value = text_.substr(begin, end - begin);
  at_ = is_closed ? end + 1 : end;

  const std::size_t mark = score_end_.empty() ? kNowhere : entry.value.find(score_end_);
  if (mark != kNowhere) {
    const std::size_t mark_end = begin + mark + score_end_.size();
    entry.value = text_.substr(begin, mark_end - begin);
    if (is_closed && skip_space(mark_end) == end) return;
    at_ = mark_end;
    if (!only_separators_after(mark_end)) log_.add(Kind::UnclosedText, "value of", entry.key);
    return;
  }
  if (is_closed) return;
  entry.value = ascii::trim(entry.value, " \t\r\n,}");
  entry.is_cut = end == text_.size();
  at_ = end_of(entry.value);
  if (!entry.is_cut) log_.add(Kind::UnclosedText, "value of", entry.key);
}

void AnswerScanner::scan_bare(AnswerEntry& entry) {
  const std::size_t end = std::min(text_.find_first_of(",}\n", at_), text_.size());
  entry.value_kind = AnswerEntry::ValueKind::Bare;
  entry.value = ascii::trim(text_.substr(at_, end - at_), " \t\r\n\"'");
  entry.is_cut = end == text_.size();
  at_ = end;
}

void AnswerScanner::skip_nested(AnswerEntry& entry) {
  const std::size_t begin = at_;
  std::size_t depth = 0;
  bool is_in_string = false;
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\\') {
      ++at_;
    } else if (c == '"') {
      is_in_string = !is_in_string;
    } else if (!is_in_string && (c == '{' || c == '[')) {
      ++depth;
    } else if (!is_in_string && (c == '}' || c == ']') && --depth == 0) {
      break;
    }
  }
  entry.value_kind = AnswerEntry::ValueKind::Nested;
  entry.is_cut = at_ >= text_.size();
  at_ = std::min(at_ + 1, text_.size());
  entry.value = text_.substr(begin, at_ - begin);
}

bool AnswerScanner::ends_text(std::size_t quote_at, bool has_inner_quotes) const {
  const std::size_t after = skip_space(quote_at + 1);
  if (after == text_.size()) return !has_inner_quotes;
  if (text_[after] == '}') return brace_ends_dictionary(after);
  if (text_[after] != ',') return is_quote(after) && is_known_key_at(after, text_[after]);

  const std::size_t key = std::min(text_.find_first_not_of(" \t\r\n,", after), text_.size());
  const bool is_cut_before_key = key == text_.size() || (is_quote(key) && key + 1 == text_.size());
  if (is_cut_before_key) return !has_inner_quotes;
  if (text_[key] == '}') return brace_ends_dictionary(key);
  const KeyMatch match = key_at(key);
  if (match.state == KeyState::None) return false;
  return is_quote(key) || match.known.has_value();
}

bool AnswerScanner::brace_ends_dictionary(std::size_t brace_at) const {
  const std::size_t rest = skip_space(brace_at + 1);
  if (rest == text_.size()) return true;
  if (std::string_view("{}]`").find(text_[rest]) != kNowhere) return true;
  return last_known_key_ == kNowhere || last_known_key_ < brace_at;
}

/// A key with its colon at `at`, in quotes or bare.
AnswerScanner::KeyMatch AnswerScanner::key_at(std::size_t at) const {
  if (at >= text_.size()) return {};
  const bool is_quoted = is_quote(at);
  const std::size_t begin = is_quoted ? at + 1 : at;
  const std::string_view window = text_.substr(begin, kLongestKeyBytes);
  const char quoted_stops[] = {text_[at], '\n'};
  const std::string_view stops =
      is_quoted ? std::string_view(quoted_stops, 2) : std::string_view(":,\"'{}\n");
  const std::size_t length = window.find_first_of(stops);

  KeyMatch match;
  if (length == kNowhere) {
    const bool reaches_end = begin + window.size() == text_.size();
    const bool is_start_of_key = window.empty() || keys_.is_prefix(window);
    if (is_quoted && reaches_end && is_start_of_key) match.state = KeyState::Cut;
    return match;
  }
  match.key = ascii::trim(window.substr(0, length));
  if (window[length] == '\n' || match.key.empty()) return match;
  const std::size_t colon = is_quoted ? skip_space(begin + length + 1) : begin + length;
  if (colon < text_.size() && text_[colon] != ':') return match;
  match.known = keys_.find(match.key);
  match.end = colon + 1;
  if (colon < text_.size()) {
    match.state = KeyState::Whole;
  } else if (match.known) {
    match.state = KeyState::Cut;
  }
  return match;
}

bool AnswerScanner::is_known_key_at(std::size_t at, char quote) const {
  if (at >= text_.size() || text_[at] != quote) return false;
  const KeyMatch match = key_at(at);
  return match.state == KeyState::Whole && match.known.has_value();
}

std::size_t AnswerScanner::skip_space(std::size_t at) const {
  if (at >= text_.size()) return text_.size();
  return std::min(text_.find_first_not_of(ascii::kSpace, at), text_.size());
}

bool AnswerScanner::only_separators_after(std::size_t at) const {
  return text_.find_first_not_of(" \t\r\n,\"'}", at) == kNowhere;
}

/// Where `part` of the answer ends in it.
std::size_t AnswerScanner::end_of(std::string_view part) const {
  return static_cast<std::size_t>(part.data() - text_.data()) + part.size();
}

bool AnswerScanner::is_quote(std::size_t at) const {
  return at < text_.size() && (text_[at] == '"' || text_[at] == '\'');
}

}  // namespace aitqe
