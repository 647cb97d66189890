#include "aitqe/pipeline/conclude.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/text/unicode.h"

namespace aitqe {

namespace {

/// `uid` and `url` of the sample's own json member, where it has them as texts.
void copy_identity(const Sample& sample, ReportRow& row) {
  const Member* member = find_member(sample, "json");
  if (member == nullptr) return;
  const auto json = nlohmann::json::parse(member->bytes, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return;
  const auto text = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  row.uid = text("uid");
  row.url = text("url");
}

ReportRow row_of(const AssessedSample& assessed, const std::string& shard_name) {
  const PreparedSample& prepared = assessed.prepared;
  ReportRow row;
  row.key = prepared.sample.key;
  row.shard = shard_name;
  row.index = prepared.sample.index;
  row.caption = prepared.caption;
  row.caption_out = prepared.caption;
  row.caption_present = prepared.caption_present;
  if (prepared.caption_present) row.caption_sha256 = sha256_hex(prepared.caption);
  row.special_token_in_caption = prepared.special_token_in_caption;
  row.injection_suspect = prepared.injection_sign.has_value();
  if (prepared.injection_sign) row.injection_sign = injection_sign_code(*prepared.injection_sign);
  row.image = prepared.image;
  copy_identity(prepared.sample, row);
  return row;
}

void fail(ReportRow& row, const std::string& stage, const std::string& reason) {
  row.decision = Decision::Failed;
  row.failure = {stage, reason};
  row.caption_out = row.caption;
}

/// The answer as it is read: where the model was asked for a rewrite in a second answer, that one.
Assessment assess(const Answer& answer, const AnswerKeys& keys) {
  Assessment assessment = parse_answer(strip_python(answer.text), keys);
  if (answer.asked_recaption.empty()) return assessment;
  const Assessment second = parse_answer(strip_python(answer.asked_recaption), keys);
  assessment.recaption = second.recaption;
  assessment.is_recaption_cut = second.is_recaption_cut;
  for (const AnswerProblem& problem : second.problems) {
    const bool about_rewrite = problem.kind == AnswerProblem::Kind::RecaptionCut ||
                               problem.kind == AnswerProblem::Kind::RecaptionSuspect ||
                               problem.kind == AnswerProblem::Kind::RecaptionUnreadable;
    if (about_rewrite) assessment.problems.push_back(problem);
  }
  return assessment;
}

}  // namespace

EnhancedSample conclude(AssessedSample assessed, const std::string& shard_name, bool in_worst_set,
                        const ConcludeOptions& options, RewriteCounts* counts) {
  EnhancedSample enhanced{Sample(), row_of(assessed, shard_name)};
  ReportRow& row = enhanced.row;
  enhanced.sample = std::move(assessed.prepared.sample);
  if (assessed.prepared.failure) {
    fail(row, assessed.prepared.failure->stage, assessed.prepared.failure->reason);
    return enhanced;
  }
  const Answer& answer = assessed.answer;
  const Assessment assessment = assess(answer, options.keys);
  row.scores = assessment.scores;
  row.score_expected = answer.score_expected;
  row.score_forced = answer.score_forced;
  row.score_recaption = answer.score_recaption;
  row.p_rewrite = answer.p_rewrite;
  row.recaption = assessment.recaption.value_or("");
  row.answer_problems = describe_problems(assessment);
  if (options.with_explanations) row.explanations = assessment.explanations;
  if (options.with_answers || !assessment.usable) row.answer = answer.text;

  const double score = answer.score_forced >= 0 ? answer.score_forced : answer.score_expected;
  const auto verified = options.verify ? std::optional(answer.score_recaption) : std::nullopt;
  const bool is_kept_suspect =
      options.keep_suspects && assessed.prepared.injection_sign.has_value();
  Verdict verdict = decide(
      {assessment, score, in_worst_set, assessed.prepared.caption, verified, is_kept_suspect},
      options.rule, options.keys);
  const bool repeats = options.verify && counts != nullptr &&
                       verdict.decision == Decision::Rewrite && counts->add(verdict.caption_out);
  if (repeats) verdict = {Decision::Keep, "rewrite_repeats", assessed.prepared.caption};
  row.decision = verdict.decision;
  row.reason = verdict.reason;
  row.caption_out = verdict.caption_out;
  if (verdict.decision == Decision::Failed) {
    fail(row, "answer", verdict.reason + ": " + row.answer_problems);
  } else if (verdict.decision == Decision::Rewrite) {
    try {
      row.caption_json = caption_as_json(enhanced.sample, options.caption_source);
      replace_caption(enhanced.sample, options.caption_source, verdict.caption_out);
    } catch (const SampleError& error) {
      row.reason.clear();
      fail(row, "caption", error.what());
    }
  }
  return enhanced;
}

}  // namespace aitqe
