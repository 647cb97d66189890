#pragma once

#include <functional>
#include <string_view>

#include "aitqe/report/row.h"

namespace aitqe {

/// An expression over the columns of a report row:
///
///   expression:  term {"or" term}
///   term:        factor {"and" factor}
///   factor:      "not" factor | "(" expression ")" | comparison
///   comparison:  COLUMN OPERATOR VALUE | COLUMN           the latter for a boolean column
///   OPERATOR:    == != < <= > >= contains
///   VALUE:       a number, "text" or 'text' (\\ \" \' \n \t), true, false, null
///
/// Texts know `==`, `!=` and `contains` (bytes, case counts), numbers the first six, booleans `==`
/// and `!=`. A float that is absent (-1.0 in JSON lines) equals `null` alone: every other
/// comparison with it is false, `!=` too. Words of the grammar are in lower case.
/// Immutable; safe to call from many threads.
class RowFilter {
 public:
  /// Lets every row through.
  RowFilter() = default;
  /// @throws Error(Usage) saying at which character what was expected.
  static RowFilter parse(std::string_view text);

  bool operator()(const ReportRow& row) const { return !accepts_ || accepts_(row); }

 private:
  std::function<bool(const ReportRow&)> accepts_;
};

/// The float column of that name, for ranking. Lives as long as the program.
/// @throws Error(Usage), with the nearest float column, when there is none.
const Column& find_score_column(std::string_view name);

}  // namespace aitqe
