#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// Collects what is wrong with one answer, at most kMaxAnswerProblems of it.
class ProblemLog {
 public:
  explicit ProblemLog(std::vector<AnswerProblem>& problems) : problems_(problems) {}

  /// @param found  quoted from the answer after `what`, shortened; any bytes.
  void add(AnswerProblem::Kind kind, std::string_view what, std::string_view found = {});
  /// As `add`, unless this kind is in the list already.
  void add_once(AnswerProblem::Kind kind, std::string_view what, std::string_view found = {});

 private:
  std::vector<AnswerProblem>& problems_;
};

}  // namespace aitqe
