#include "aitqe/select/row_filter.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/base/nearest.h"
#include "filter_tokens.h"

namespace aitqe {
namespace {

using Accepts = std::function<bool(const ReportRow&)>;

/// Deeper nesting is refused, so that hostile input cannot use up the stack.
constexpr int kMostNesting = 100;

/// The column of that name, or null.
const Column* find_column(std::string_view name) {
  const auto columns = report_columns();
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

/// Of one type, or all.
std::vector<std::string> column_names(std::string_view type = "") {
  std::vector<std::string> names;
  for (const Column& column : report_columns()) {
    if (type.empty() || column.type_name() == type) names.emplace_back(column.name);
  }
  return names;
}

template <typename T>
Accepts compare(const Column& column, FilterOperator op, T wanted) {
  return [&column, op, wanted = std::move(wanted)](const ReportRow& row) {
    const ColumnValue value = column_value(row, column);
    if constexpr (std::is_same_v<T, std::string>) {
      const auto text = std::get<std::string_view>(value);
      if (op == FilterOperator::Contains) return text.find(wanted) != std::string_view::npos;
      return (text == wanted) == (op == FilterOperator::Equal);
    } else if constexpr (std::is_same_v<T, bool>) {
      return (std::get<bool>(value) == wanted) == (op == FilterOperator::Equal);
    } else {
      const auto* number = std::get_if<double>(&value);
      if (number != nullptr && is_absent(*number)) return false;
      return holds(op,
                   number != nullptr ? *number : static_cast<double>(std::get<std::int64_t>(value)),
                   wanted);
    }
  };
}

Accepts compare_with_null(const Column& column, FilterOperator op) {
  return [&column, op](const ReportRow& row) {
    return is_absent(std::get<double>(column_value(row, column))) == (op == FilterOperator::Equal);
  };
}

/// Recursive descent over the grammar in the header.
class FilterParser {
 public:
  explicit FilterParser(std::string_view text) : tokens_(text) {}

  Accepts parse() {
    Accepts all = expression(0);
    if (tokens_.here().kind != TokenKind::End) tokens_.fail("expected `and`, `or` or the end");
    return all;
  }

 private:
  Accepts expression(int depth) {
    Accepts left = term(depth);
    while (tokens_.take_word("or")) {
      left = [left = std::move(left), right = term(depth)](const ReportRow& row) {
        return left(row) || right(row);
      };
      count_operator();
    }
    return left;
  }

  Accepts term(int depth) {
    Accepts left = factor(depth);
    while (tokens_.take_word("and")) {
      left = [left = std::move(left), right = factor(depth)](const ReportRow& row) {
        return left(row) && right(row);
      };
      count_operator();
    }
    return left;
  }

  Accepts factor(int depth) {
    if (depth > kMostNesting) tokens_.fail("nested more than 100 deep");
    if (tokens_.take_word("not")) {
      return [inner = factor(depth + 1)](const ReportRow& row) { return !inner(row); };
    }
    if (!tokens_.take_symbol("(")) return comparison();
    Accepts inner = expression(depth + 1);
    if (!tokens_.take_symbol(")")) tokens_.fail("expected `)`");
    return inner;
  }

  Accepts comparison() {
    const Column& column = take_column();
    const std::string type(column.type_name());
    const std::optional<FilterOperator> op = tokens_.take_operator();
    if (!op) {
      if (type != "boolean") tokens_.fail("expected a comparison: == != < <= > >= contains");
      return compare(column, FilterOperator::Equal, true);
    }
    if (!may_compare(type, *op)) {
      tokens_.fail_before("column " + std::string(column.name) + " is of type " + type +
                          ", which has no such comparison");
    }
    const FilterToken value = tokens_.here();
    tokens_.next();
    if (value.kind == TokenKind::Text && type == "text") return compare(column, *op, value.text);
    if (value.kind == TokenKind::Number && (type == "float" || type == "integer")) {
      return compare(column, *op, value.number);
    }
    const bool equality = *op == FilterOperator::Equal || *op == FilterOperator::NotEqual;
    if (value.kind == TokenKind::Word && value.text == "null" && type == "float" && equality) {
      return compare_with_null(column, *op);
    }
    if (type == "boolean" && (value.text == "true" || value.text == "false") &&
        value.kind == TokenKind::Word) {
      return compare(column, *op, value.text == "true");
    }
    tokens_.fail_before("column " + std::string(column.name) + " is compared with " +
                        wanted_value(type));
  }

  const Column& take_column() {
    if (tokens_.here().kind != TokenKind::Word) tokens_.fail("expected a column");
    const std::string name = tokens_.here().text;
    const Column* column = find_column(name);
    tokens_.next();
    if (column == nullptr) {
      tokens_.fail_before("there is no column \"" + name + "\" (docs/formats.md lists them)",
                          did_you_mean(name, column_names()));
    }
    return *column;
  }

  static bool may_compare(const std::string& type, FilterOperator op) {
    if (op == FilterOperator::Equal || op == FilterOperator::NotEqual) return true;
    if (op == FilterOperator::Contains) return type == "text";
    return type == "float" || type == "integer";
  }

  static std::string wanted_value(const std::string& type) {
    if (type == "text") return "a text in quotes";
    if (type == "boolean") return "true or false";
    return type == "float" ? "a number, or by == and != with null" : "a number";
  }

  // Each one nests the functions by one, so they are bounded like parentheses.
  void count_operator() {
    constexpr int kMostOperators = 1000;
    if (++num_operators_ > kMostOperators) tokens_.fail("more than 1000 times `and` or `or`");
  }

  FilterTokens tokens_;
  int num_operators_ = 0;
};

}  // namespace

RowFilter RowFilter::parse(std::string_view text) {
  RowFilter filter;
  filter.accepts_ = FilterParser(text).parse();
  return filter;
}

const Column& find_score_column(std::string_view name) {
  const Column* column = find_column(name);
  if (column != nullptr && column->type_name() == "float") return *column;
  throw Error(ErrorCategory::Usage, "--by " + std::string(name) +
                                        ": expected a float column (docs/formats.md)" +
                                        did_you_mean(name, column_names("float")));
}

}  // namespace aitqe
