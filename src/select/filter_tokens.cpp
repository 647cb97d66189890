#include "filter_tokens.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

constexpr auto kOperators = std::to_array<std::pair<std::string_view, FilterOperator>>({
    {"==", FilterOperator::Equal},
    {"!=", FilterOperator::NotEqual},
    {"<=", FilterOperator::LessOrEqual},
    {">=", FilterOperator::GreaterOrEqual},
    {"<", FilterOperator::Less},
    {">", FilterOperator::Greater},
    {"contains", FilterOperator::Contains},
});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

bool holds(FilterOperator op, double left, double right) {
  switch (op) {
    case FilterOperator::Equal:
      return left == right;
    case FilterOperator::NotEqual:
      return left != right;
    case FilterOperator::Less:
      return left < right;
    case FilterOperator::LessOrEqual:
      return left <= right;
    case FilterOperator::Greater:
      return left > right;
    case FilterOperator::GreaterOrEqual:
      return left >= right;
    case FilterOperator::Contains:
      break;  // of texts
  }
  return false;
}

FilterTokens::FilterTokens(std::string_view expression) : expression_(expression) { next(); }

void FilterTokens::next() {
  before_ = here_.begin;
  while (position_ < expression_.size() && is_space(expression_[position_])) ++position_;
  const std::size_t begin = position_;
  if (position_ == expression_.size()) {
    here_ = FilterToken();
  } else if (const char c = expression_[position_]; c == '"' || c == '\'') {
    here_ = read_text();
  } else if (is_digit(c) || c == '-' || c == '.') {
    here_ = read_number();
  } else {
    here_ = is_letter(c) ? read_word() : read_symbol();
  }
  here_.begin = begin;
}

FilterToken FilterTokens::read_text() {
  const std::size_t begin = position_;
  const char quote = expression_[position_++];
  FilterToken token{TokenKind::Text, "", 0.0, begin};
  while (position_ < expression_.size() && expression_[position_] != quote) {
    char c = expression_[position_++];
    if (c == '\\') {
      constexpr std::string_view kEscapes = "\\\"'nt";
      constexpr std::string_view kMeanings = "\\\"'\n\t";
      const std::size_t found = position_ < expression_.size()
                                    ? kEscapes.find(expression_[position_])
                                    : std::string_view::npos;
      if (found == std::string_view::npos) {
        fail_at(position_ - 1, "expected one of \\\\ \\\" \\' \\n \\t");
      }
      c = kMeanings[found];
      ++position_;
    }
    token.text += c;
  }
  if (position_ == expression_.size()) fail_at(begin, "the text has no closing quote");
  ++position_;
  return token;
}

FilterToken FilterTokens::read_number() {
  FilterToken token{TokenKind::Number, "", 0.0, position_};
  const char* begin = expression_.data() + position_;
  const char* end = expression_.data() + expression_.size();
  const auto [stop, error] = std::from_chars(begin, end, token.number);
  const bool ends_well = stop == end || !(is_letter(*stop) || is_digit(*stop) || *stop == '.');
  if (error != std::errc() || !ends_well) fail_at(position_, "expected a number");
  position_ += static_cast<std::size_t>(stop - begin);
  return token;
}

FilterToken FilterTokens::read_word() {
  const auto is_part = [](char c) { return is_letter(c) || is_digit(c) || c == '.'; };
  const auto* const begin = expression_.begin() + position_;
  const auto* const end = std::find_if_not(begin, expression_.end(), is_part);
  position_ += static_cast<std::size_t>(end - begin);
  return {TokenKind::Word, std::string(begin, end), 0.0, 0};
}

FilterToken FilterTokens::read_symbol() {
  constexpr auto kSymbols =
      std::to_array<std::string_view>({"==", "!=", "<=", ">=", "<", ">", "(", ")"});
  for (const std::string_view symbol : kSymbols) {
    if (!expression_.substr(position_).starts_with(symbol)) continue;
    position_ += symbol.size();
    return {TokenKind::Symbol, std::string(symbol), 0.0, 0};
  }
  fail_at(position_, "expected a column, a value, a comparison or a parenthesis");
}

bool FilterTokens::take_word(std::string_view word) {
  if (here_.kind != TokenKind::Word || here_.text != word) return false;
  next();
  return true;
}

bool FilterTokens::take_symbol(std::string_view symbol) {
  if (here_.kind != TokenKind::Symbol || here_.text != symbol) return false;
  next();
  return true;
}

std::optional<FilterOperator> FilterTokens::take_operator() {
  for (const auto& [spelling, op] : kOperators) {
    if (take_symbol(spelling) || take_word(spelling)) return op;
  }
  return std::nullopt;
}

void FilterTokens::fail(const std::string& message) const { fail_at(here_.begin, message); }
void FilterTokens::fail_before(const std::string& message, const std::string& hint) const {
  fail_at(before_, message, hint);
}

void FilterTokens::fail_at(std::size_t position, const std::string& message,
                           const std::string& hint) const {
  constexpr std::size_t kShown = 24;
  const std::string_view rest = expression_.substr(position, kShown);
  const std::string found = rest.empty() ? "the end" : "`" + std::string(rest) + "`";
  throw Error(ErrorCategory::Usage, "--where, character " + std::to_string(position + 1) + ": " +
                                        message + ", found " + found + hint);
}

}  // namespace aitqe
