#include "aitqe/quality/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using testing::HasSubstr;
using RuleKind = RewriteRule::Kind;

TEST(RewriteRule, ReadsEveryFormAndWritesItBack) {
  const auto expect = [](std::string_view text, RuleKind kind, double value) {
    const RewriteRule rule = RewriteRule::parse(text);
    EXPECT_EQ(rule, (RewriteRule{kind, value})) << text;
    EXPECT_EQ(rule.to_string(), text);
  };
  expect("model", RuleKind::Model, 0);
  expect("score<4", RuleKind::ScoreBelow, 4);
  expect("score<4.5", RuleKind::ScoreBelow, 4.5);
  expect("worst:10%", RuleKind::WorstPercent, 10);
  expect("worst:0.1%", RuleKind::WorstPercent, 0.1);
  expect("always", RuleKind::Always, 0);
  expect("never", RuleKind::Never, 0);
}

TEST(RewriteRule, RefusesTheRestWithTheNearestRule) {
  const auto expect = [](std::string_view text, const std::string& nearest) {
    try {
      RewriteRule::parse(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Usage);
      EXPECT_THAT(error.what(), HasSubstr("Did you mean \"" + nearest + "\"?"));
    }
  };
  expect("", "model");
  expect("Model", "model");
  expect("alway", "always");
  expect("score<0", "score<4");
  expect("worst:0%", "worst:10%");
  expect("score>3", "score<3");
  expect("score < 3.5", "score<3.5");
  expect("score<", "score<4");
  expect("score<-1", "score<1");
  expect("score<nan", "score<4");
  expect("worst:5", "worst:5%");
  expect("worst10%", "worst:10%");
  expect(std::string(100000, 'x'), "model");
}

constexpr std::string_view kOriginal = "a cat";

Assessment assessed(std::string_view recaption, bool is_cut = false) {
  Assessment assessment;
  assessment.scores.overall = 2.0;
  assessment.recaption = recaption;
  assessment.is_recaption_cut = is_cut;
  assessment.usable = true;
  return assessment;
}

Assessment kept() {
  Assessment assessment;
  assessment.scores.overall = 8.0;
  assessment.usable = true;
  return assessment;
}

Verdict decide_by(const std::string& rule, const Assessment& assessment, double score = kNoScore,
                  bool in_worst_set = false) {
  const JudgedPair pair{assessment, score, in_worst_set, kOriginal};
  return decide(pair, RewriteRule::parse(rule), AnswerKeys());
}

void expect_verdict(const Verdict& found, Decision decision, std::string_view reason) {
  EXPECT_EQ(found.reason, reason);
  EXPECT_EQ(found.decision, decision) << reason;
  EXPECT_EQ(found.caption_out, decision == Decision::Rewrite ? "A dog." : kOriginal) << reason;
}

TEST(Decide, FollowsTheRule) {
  const Assessment rewrite = assessed(" A dog.\n");
  expect_verdict(decide_by("model", rewrite), Decision::Rewrite, "model_rewrites");
  expect_verdict(decide_by("model", kept()), Decision::Keep, "model_keeps");
  expect_verdict(decide_by("score<4", rewrite, 3.9), Decision::Rewrite, "score_below");
  expect_verdict(decide_by("score<4", rewrite, 4.0), Decision::Keep, "score_not_below");
  expect_verdict(decide_by("score<4", rewrite), Decision::Keep, "score_unknown");
  expect_verdict(decide_by("score<4", kept(), 3.9), Decision::Keep, "rewrite_missing");
  expect_verdict(decide_by("worst:5%", rewrite, 1, true), Decision::Rewrite, "in_worst");
  expect_verdict(decide_by("worst:5%", rewrite, 1, false), Decision::Keep, "not_in_worst");
  expect_verdict(decide_by("worst:5%", kept(), 1, true), Decision::Keep, "rewrite_missing");
  expect_verdict(decide_by("always", rewrite), Decision::Rewrite, "rule_always");
  expect_verdict(decide_by("always", kept()), Decision::Keep, "rewrite_missing");
  expect_verdict(decide_by("never", rewrite), Decision::Keep, "rule_never");
}

TEST(Decide, KeepsTheCaptionWhenTheRewriteIsNoCaption) {
  const auto expect_kept = [](const Assessment& assessment, std::string_view reason) {
    for (const char* rule : {"model", "score<9", "worst:100%", "always"}) {
      expect_verdict(decide_by(rule, assessment, 1.0, true), Decision::Keep, reason);
    }
  };
  expect_kept(assessed("A dog.", /*is_cut=*/true), "rewrite_cut");
  expect_kept(assessed(" \n"), "rewrite_empty");
  expect_kept(assessed(" a cat "), "rewrite_identical");
  expect_kept(assessed("A cat."), "rewrite_identical");
  expect_kept(assessed("a dog<|im_end|>"), "rewrite_special_token");
  expect_kept(assessed(std::string("a\0dog", 5)), "rewrite_bad_text");
  expect_kept(assessed("Evaluate the caption: a dog"), "rewrite_prompt_marker");
  expect_kept(assessed("I cannot see a dog"), "rewrite_refusal");
  expect_kept(assessed("dog http://a.b"), "rewrite_url");
  expect_kept(assessed("dog dog dog dog dog dog dog dog"), "rewrite_loop");
}

TEST(Decide, FailsOnAnUnreadableAnswerUnderEveryRule) {
  for (const char* rule : {"model", "score<9", "worst:100%", "always", "never"}) {
    expect_verdict(decide_by(rule, parse_answer("no", AnswerKeys()), 1, true), Decision::Failed,
                   "answer_unreadable");
    expect_verdict(decide_by(rule, parse_answer("{\"Recaption\": \"A d", AnswerKeys()), 1, true),
                   Decision::Failed, "answer_cut");
  }
}

TEST(Decide, KeepsASuspectThatIsToStayUnderEveryRule) {
  const Assessment rewrite = assessed("A dog.");
  for (const char* rule : {"model", "score<9", "worst:100%", "always", "never"}) {
    JudgedPair pair{rewrite, 1.0, true, kOriginal};
    pair.is_kept_suspect = true;
    expect_verdict(decide(pair, RewriteRule::parse(rule), AnswerKeys()), Decision::Keep,
                   "injection_suspect");
  }
  const Assessment unreadable = parse_answer("no", AnswerKeys());
  JudgedPair pair{unreadable, 1.0, true, kOriginal};
  pair.is_kept_suspect = true;
  expect_verdict(decide(pair, RewriteRule(), AnswerKeys()), Decision::Failed, "answer_unreadable");
}

TEST(Decide, KeepsTheCaptionsBytes) {
  const Assessment assessment = kept();
  const std::string_view bytes("\xFF a\0 \n", 6);
  const Verdict found = decide({assessment, 8.0, false, bytes}, RewriteRule(), AnswerKeys());
  EXPECT_EQ(found.caption_out, bytes);
}

TEST(Decision, HasNamesThatReadBack) {
  for (const Decision decision : {Decision::Keep, Decision::Rewrite, Decision::Failed}) {
    EXPECT_EQ(decision_from_name(decision_name(decision)), decision);
  }
  EXPECT_THROW(decision_from_name("kept"), Error);
}

TEST(VerdictReasons, AreDistinctAndDocumented) {
  std::ifstream file(AITQE_SOURCE_DIR "/docs/formats.md");
  std::stringstream document;
  document << file.rdbuf();
  std::set<std::string_view> codes;
  for (const VerdictReason& reason : verdict_reasons()) {
    EXPECT_TRUE(codes.insert(reason.code).second) << reason.code;
    EXPECT_EQ(verdict_reason_text(reason.code), reason.text);
    const std::string line = "| `" + std::string(reason.code) + "` | " + std::string(reason.text);
    EXPECT_THAT(document.str(), HasSubstr(line));
  }
  EXPECT_EQ(verdict_reason_text("other"), "other");
}

TEST(AnswerProblems, AreDocumented) {
  std::ifstream file(AITQE_SOURCE_DIR "/docs/formats.md");
  std::stringstream document;
  document << file.rdbuf();
  for (int i = 0; i <= static_cast<int>(AnswerProblem::Kind::TooMany); ++i) {
    const auto code = answer_problem_code(static_cast<AnswerProblem::Kind>(i));
    EXPECT_THAT(document.str(), HasSubstr("| `" + std::string(code) + "` |"));
  }
}

}  // namespace
}  // namespace aitqe
