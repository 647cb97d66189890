#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aitqe {

enum class TokenKind { Word, Number, Text, Symbol, End };

struct FilterToken {
  TokenKind kind = TokenKind::End;
  std::string text;  ///< of texts without quotes and escapes
  double number = 0.0;
  std::size_t begin = 0;  ///< in the expression
};

enum class FilterOperator { Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Contains };

bool holds(FilterOperator op, double left, double right);

/// The words of a filter expression, one at a time.
class FilterTokens {
 public:
  explicit FilterTokens(std::string_view expression);

  const FilterToken& here() const { return here_; }
  /// @throws Error(Usage) at what is no word.
  void next();

  bool take_word(std::string_view word);
  bool take_symbol(std::string_view symbol);
  std::optional<FilterOperator> take_operator();

  /// @throws Error(Usage) at the token that is next, or at the one taken last; the hint ends
  /// the message.
  [[noreturn]] void fail(const std::string& message) const;
  [[noreturn]] void fail_before(const std::string& message, const std::string& hint = "") const;

 private:
  [[noreturn]] void fail_at(std::size_t position, const std::string& message,
                            const std::string& hint = "") const;
  FilterToken read_text();
  FilterToken read_number();
  FilterToken read_word();
  FilterToken read_symbol();

  std::string_view expression_;
  std::size_t position_ = 0;
  FilterToken here_;
  std::size_t before_ = 0;
};

}  // namespace aitqe
