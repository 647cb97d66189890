#include "problem_log.h"

#include <algorithm>

#include "aitqe/text/unicode.h"

namespace aitqe {

void ProblemLog::add(AnswerProblem::Kind kind, std::string_view what, std::string_view found) {
  if (problems_.size() > kMaxAnswerProblems) return;
  if (problems_.size() == kMaxAnswerProblems) {
    problems_.push_back({AnswerProblem::Kind::TooMany, "the rest is not listed"});
    return;
  }
  constexpr std::size_t kLongestQuoteBytes = 60;
  std::string detail(what);
  if (!found.empty()) {
    detail += detail.empty() ? "`" : " `";
    detail += repair_utf8(found.substr(0, kLongestQuoteBytes));
    std::replace_if(
        detail.begin(), detail.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
    detail += found.size() > kLongestQuoteBytes ? "...`" : "`";
  }
  problems_.push_back({kind, std::move(detail)});
}

void ProblemLog::add_once(AnswerProblem::Kind kind, std::string_view what, std::string_view found) {
  const auto same = [kind](const AnswerProblem& problem) { return problem.kind == kind; };
  if (std::none_of(problems_.begin(), problems_.end(), same)) add(kind, what, found);
}

}  // namespace aitqe
