// libFuzzer target: the answer parser, the verdict on what it read, and the caption rules of the
// reference, on any bytes. Build with -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aitqe/base/error.h"
#include "aitqe/quality/policy.h"
#include "aitqe/quality/prompt.h"
#include "aitqe/quality/rewrite_guard.h"
#include "aitqe/text/unicode.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_assessment(const aitqe::Assessment& found) {
  for (std::size_t i = 0; i < aitqe::kNumScoreFields; ++i) {
    const auto field = static_cast<aitqe::ScoreField>(i);
    const double score = found.scores.at(field);
    require(score == aitqe::kNoScore || (score >= 1.0 && score <= 10.0));
    require(aitqe::is_valid_utf8(found.explanations.at(field)));
  }
  require(aitqe::is_valid_utf8(found.recaption.value_or("")));
  require(aitqe::is_valid_utf8(aitqe::describe_problems(found)));
  require(found.problems.size() <= aitqe::kMaxAnswerProblems + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const aitqe::AnswerKeys keys;
  const aitqe::Assessment found = aitqe::parse_answer(bytes, keys);
  check_assessment(found);

  const aitqe::RewriteRule always = aitqe::RewriteRule::parse("always");
  const aitqe::Verdict verdict = aitqe::decide({found, 1.0, true, "a caption"}, always, keys);
  if (verdict.decision == aitqe::Decision::Rewrite) {
    require(found.usable && !found.is_recaption_cut);
    require(!aitqe::find_rewrite_fault(verdict.caption_out, "a caption", keys));
  } else {
    require(verdict.caption_out == "a caption");
  }

  try {
    aitqe::apply_reference_caption_rules(aitqe::repair_utf8(bytes));
  } catch (const aitqe::SampleError&) {
    // the reference refuses this caption
  }
  return 0;
}
