#include "score_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "aitqe/base/ascii.h"

namespace aitqe {
namespace {

using Kind = AnswerProblem::Kind;

/// Longer digit strings are noise, not scores.
constexpr std::size_t kLongestNumberBytes = 64;

struct Number {
  double value = 0.0;
  bool overflows = false;
  std::string_view rest;
};

/// A decimal number at the start of `text`.
std::optional<Number> take_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  if (first >= text.size()) return std::nullopt;
  if (!ascii::is_digit(text[first]) && text[first] != '.') return std::nullopt;  // nan, inf
  Number number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  if (error == std::errc::invalid_argument) return std::nullopt;
  number.overflows = error == std::errc::result_out_of_range;
  number.rest = ascii::trim(text.substr(static_cast<std::size_t>(end - text.data())));
  return number;
}

std::optional<double> number_from_word(std::string_view text) {
  static constexpr std::array<std::string_view, 11> kWords = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
  const std::string low = ascii::lower(text);
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (low == kWords[i]) return static_cast<double>(i);
  }
  return std::nullopt;
}

/// Whether `rest` is "/10", "of 10" or "out of 10" for a scale up to 10.
bool names_the_scale(std::string_view rest, double highest_score) {
  const std::string low = ascii::lower(rest);
  for (const std::string_view words : {"/", "out of", "of"}) {
    if (!low.starts_with(words)) continue;
    const std::string tail(ascii::trim(std::string_view(low).substr(words.size())));
    const auto scale = take_number(tail);
    return scale && scale->rest.empty() && scale->value == highest_score;
  }
  return false;
}

ScoreReading within_scale(double value, bool is_plain, const AnswerKeys& keys) {
  if (!(value >= keys.lowest_score && value <= keys.highest_score)) {
    return {kNoScore, Kind::ScoreOutOfRange};
  }
  if (is_plain) return {value, std::nullopt};
  return {value, Kind::ScoreForm};
}

}  // namespace

std::optional<std::string_view> before_score_end(std::string_view text, std::string_view mark) {
  if (const std::size_t whole = text.find(mark); whole != std::string_view::npos) {
    return text.substr(0, whole);
  }
  for (std::size_t length = std::min(mark.size(), text.size()); length > 0; --length) {
    if (text.ends_with(mark.substr(0, length))) return text.substr(0, text.size() - length);
  }
  return std::nullopt;
}

ScoreReading read_score(std::string_view text, bool is_cut, const AnswerKeys& keys) {
  if (const auto before_mark = before_score_end(text, keys.score_end)) {
    text = *before_mark;
    is_cut = false;
  }
  text = ascii::trim(text);
  if (is_cut) return {kNoScore, Kind::ScoreCut};
  if (text.empty() || text.size() > kLongestNumberBytes) return {kNoScore, Kind::ScoreUnreadable};
  if (const auto word_value = number_from_word(text)) {
    return within_scale(*word_value, /*is_plain=*/false, keys);
  }
  const auto number = take_number(text);
  if (!number) return {kNoScore, Kind::ScoreUnreadable};
  const bool is_plain = number->rest.empty();
  if (!is_plain && !names_the_scale(number->rest, keys.highest_score)) {
    return {kNoScore, Kind::ScoreUnreadable};
  }
  // from_chars leaves the value alone when it overflows or underflows; neither is on a scale.
  if (number->overflows) return {kNoScore, Kind::ScoreOutOfRange};
  return within_scale(number->value, is_plain, keys);
}

}  // namespace aitqe
