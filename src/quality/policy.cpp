#include "aitqe/quality/policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "aitqe/base/ascii.h"
#include "aitqe/base/error.h"
#include "aitqe/base/nearest.h"
#include "aitqe/quality/rewrite_guard.h"

namespace aitqe {
namespace {

constexpr std::array kReasons = std::to_array<VerdictReason>({
    {"model_keeps", "the model found the caption good enough"},
    {"model_rewrites", "the model wrote a better caption of its own accord"},
    {"score_below", "the score is below the limit"},
    {"score_not_below", "the score is not below the limit"},
    {"score_unknown", "no score to compare with the limit"},
    {"in_worst", "among the worst of the run"},
    {"not_in_worst", "not among the worst of the run"},
    {"rule_always", "every caption is to be rewritten"},
    {"rule_never", "no caption is to be rewritten"},
    {"injection_suspect", "the caption may speak to the judge, and such ones are to stay"},
    {"rewrite_missing", "a rewrite was due but the answer holds none"},
    {"rewrite_cut", "the answer ends inside the rewrite"},
    {"rewrite_empty", "empty rewrite"},
    {"rewrite_identical", "the rewrite has the very words of the caption"},
    {"rewrite_bad_text", "the rewrite holds control characters or broken text"},
    {"rewrite_special_token", "the rewrite spells a special token"},
    {"rewrite_prompt_marker", "the rewrite holds words of the prompt or of the answer's form"},
    {"rewrite_refusal", "the rewrite is a refusal"},
    {"rewrite_url", "the rewrite holds a link that the caption does not"},
    {"rewrite_loop", "the rewrite repeats itself"},
    {"rewrite_loses_facts", "the rewrite leaves out a name or number of the caption"},
    {"rewrite_not_better", "the rewrite's own score is no better than the caption's"},
    {"rewrite_repeats", "the same rewrite was given to several images of the shard"},
    {"answer_unreadable", "the model's answer could not be read"},
    {"answer_cut", "the model's answer ends before its score"},
});

std::string shortest(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::optional<double> whole_number(std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<RewriteRule> try_parse(std::string_view text) {
  using Kind = RewriteRule::Kind;
  if (text == "model") return RewriteRule{Kind::Model, 0.0};
  if (text == "always") return RewriteRule{Kind::Always, 0.0};
  if (text == "never") return RewriteRule{Kind::Never, 0.0};
  constexpr std::string_view kScore = "score<";
  constexpr std::string_view kWorst = "worst:";
  if (text.starts_with(kScore)) {
    const auto limit = whole_number(text.substr(kScore.size()));
    if (limit && *limit > 0.0) return RewriteRule{Kind::ScoreBelow, *limit};
  }
  if (text.starts_with(kWorst) && text.ends_with('%')) {
    text.remove_prefix(kWorst.size());
    text.remove_suffix(1);
    const auto percent = whole_number(text);
    if (percent && *percent > 0.0 && *percent <= 100.0) {
      return RewriteRule{Kind::WorstPercent, *percent};
    }
  }
  return std::nullopt;
}

/// The valid rule that looks most like `text`, with its number where it has one.
std::string nearest_rule(std::string_view text) {
  constexpr std::size_t kLongestRuleBytes = 64;
  const std::string low = ascii::lower(text.substr(0, kLongestRuleBytes));
  const std::size_t first = std::min(low.find_first_of("0123456789"), low.size());
  const std::size_t last = std::min(low.find_first_not_of("0123456789.", first), low.size());
  const std::string number = low.substr(first, last - first);
  const auto with_number = [&](const std::string& before, const std::string& after,
                               const std::string& usual) {
    const std::string rule = before + number + after;
    return try_parse(rule) ? rule : before + usual + after;
  };
  const std::array<std::string, 5> rules = {
      "model", "always", "never", with_number("score<", "", "4"), with_number("worst:", "%", "10")};
  std::string nearest = rules[0];
  for (const std::string& rule : rules) {
    if (edit_distance(low, rule) < edit_distance(low, nearest)) nearest = rule;
  }
  return nearest;
}

struct Wish {
  bool rewrite = false;
  std::string_view reason;
};

/// What the rule asks for, before the new caption itself is looked at.
Wish wish_of_rule(const JudgedPair& pair, const RewriteRule& rule) {
  switch (rule.kind) {
    case RewriteRule::Kind::Model:
      if (!pair.assessment.recaption) return {false, "model_keeps"};
      return {true, "model_rewrites"};
    case RewriteRule::Kind::ScoreBelow:
      if (!(pair.score >= 0.0)) return {false, "score_unknown"};
      if (!(pair.score < rule.value)) return {false, "score_not_below"};
      return {true, "score_below"};
    case RewriteRule::Kind::WorstPercent:
      if (!pair.in_worst_set) return {false, "not_in_worst"};
      return {true, "in_worst"};
    case RewriteRule::Kind::Always:
      return {true, "rule_always"};
    case RewriteRule::Kind::Never:
      break;
  }
  return {false, "rule_never"};
}

/// Why the new caption cannot be used; "" if it can.
std::string_view obstacle(const JudgedPair& pair, const AnswerKeys& keys) {
  if (!pair.assessment.recaption) return "rewrite_missing";
  if (pair.assessment.is_recaption_cut) return "rewrite_cut";
  const std::string& recaption = *pair.assessment.recaption;
  if (const auto fault = find_rewrite_fault(recaption, pair.original, keys)) {
    return rewrite_fault_reason(*fault);
  }
  if (says_the_same(recaption, pair.original)) return "rewrite_identical";
  if (!pair.recaption_score) return "";
  if (find_lost_fact(recaption, pair.original)) return "rewrite_loses_facts";
  if (!(*pair.recaption_score > pair.score)) return "rewrite_not_better";
  return "";
}

}  // namespace

RewriteRule RewriteRule::parse(std::string_view text) {
  if (const auto rule = try_parse(text)) return *rule;
  throw Error(ErrorCategory::Usage,
              "--rewrite-when: \"" + std::string(text) +
                  "\" is no rule; expected model, score<K with K above 0, worst:P% with P above 0 "
                  "and up to 100, always or never. Did you mean \"" +
                  nearest_rule(text) + "\"?");
}

std::string RewriteRule::to_string() const {
  switch (kind) {
    case Kind::Model:
      return "model";
    case Kind::ScoreBelow:
      return "score<" + shortest(value);
    case Kind::WorstPercent:
      return "worst:" + shortest(value) + "%";
    case Kind::Always:
      return "always";
    case Kind::Never:
      break;
  }
  return "never";
}

std::string_view decision_name(Decision decision) {
  switch (decision) {
    case Decision::Keep:
      return "keep";
    case Decision::Rewrite:
      return "rewrite";
    case Decision::Failed:
      break;
  }
  return "failed";
}

Decision decision_from_name(std::string_view name) {
  for (const Decision decision : {Decision::Keep, Decision::Rewrite, Decision::Failed}) {
    if (name == decision_name(decision)) return decision;
  }
  throw Error(ErrorCategory::Damaged,
              "decision is \"" + std::string(name) + "\", expected keep, rewrite or failed");
}

std::span<const VerdictReason> verdict_reasons() { return kReasons; }

std::string_view verdict_reason_text(std::string_view code) {
  for (const VerdictReason& reason : kReasons) {
    if (reason.code == code) return reason.text;
  }
  return code;
}

Verdict decide(const JudgedPair& pair, const RewriteRule& rule, const AnswerKeys& keys) {
  Verdict verdict{Decision::Failed, "", std::string(pair.original)};
  if (!pair.assessment.usable) {
    const bool is_cut = pair.assessment.has_problem(AnswerProblem::Kind::Cut);
    verdict.reason = is_cut ? "answer_cut" : "answer_unreadable";
    return verdict;
  }
  const Wish wish =
      pair.is_kept_suspect ? Wish{false, "injection_suspect"} : wish_of_rule(pair, rule);
  const std::string_view obstacle_reason = wish.rewrite ? obstacle(pair, keys) : "";
  verdict.decision = wish.rewrite && obstacle_reason.empty() ? Decision::Rewrite : Decision::Keep;
  verdict.reason = obstacle_reason.empty() ? wish.reason : obstacle_reason;
  if (verdict.decision == Decision::Rewrite) {
    verdict.caption_out = ascii::trim(*pair.assessment.recaption);
  }
  return verdict;
}

}  // namespace aitqe
