#include "aitqe/quality/assessment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "aitqe/text/unicode.h"

namespace aitqe {
namespace {

using Kind = AnswerProblem::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

Assessment parse(std::string_view answer) { return parse_answer(answer, AnswerKeys()); }

std::vector<std::string> codes(const Assessment& assessment) {
  std::vector<std::string> found;
  for (const AnswerProblem& problem : assessment.problems) {
    found.emplace_back(answer_problem_code(problem.kind));
  }
  return found;
}

// The paper's complete answer for a poor pair, as the released model writes it.
constexpr std::string_view kFullAnswer =
    R"({"Recaption": "A man in a red coat walks a dog.", "Overall Score": "2<Overall>", )"
    R"("Overall Explanation": "The caption is about a cat.", "Text Quality Score": 3, )"
    R"("Text Quality Explanation": "Short.", "Image-Text Matching Score": 2, )"
    R"("Image-Text Matching Explanation": "No cat.", "Object Detail Score": 2, )"
    R"("Object Detail Explanation": "None.", "Semantic Understanding Score": 4, )"
    R"("Semantic Understanding Explanation": "Weak.", "Text/Chart Description Score": 1, )"
    R"("Text/Chart Description Explanation": "No text."})";

TEST(ParseAnswer, ReadsTheCompleteAnswer) {
  const Assessment found = parse(kFullAnswer);
  EXPECT_THAT(codes(found), IsEmpty());
  EXPECT_TRUE(found.usable);
  EXPECT_EQ(found.recaption, "A man in a red coat walks a dog.");
  EXPECT_FALSE(found.is_recaption_cut);
  EXPECT_EQ(found.scores.overall, 2.0);
  EXPECT_EQ(found.scores.text_quality, 3.0);
  EXPECT_EQ(found.scores.image_text_matching, 2.0);
  EXPECT_EQ(found.scores.object_detail, 2.0);
  EXPECT_EQ(found.scores.semantic_understanding, 4.0);
  EXPECT_EQ(found.scores.text_chart_description, 1.0);
  EXPECT_EQ(found.explanations.overall, "The caption is about a cat.");
  EXPECT_EQ(found.explanations.text_chart_description, "No text.");
}

// The forms in which answers usually end: the stop string, what its token carries past it, and what
// the reference makes of it (last character cut, brace added).
TEST(ParseAnswer, TakesAnAnswerCutAfterTheOverallScoreAsWhole) {
  for (const std::string_view end : {"<Overall>", "<Overall>\"", "<Overall>\",", "<Overall>\", ",
                                     "<Overall>\", \"", "<Overall>\"}", "<Overall}", "<Overall"}) {
    const Assessment keep = parse(std::string(R"({"Overall Score": "8)") + std::string(end));
    EXPECT_THAT(codes(keep), IsEmpty()) << end;
    EXPECT_EQ(keep.scores.overall, 8.0) << end;
    EXPECT_TRUE(keep.usable) << end;
    EXPECT_FALSE(keep.recaption.has_value()) << end;

    const Assessment rewrite =
        parse(std::string(R"({"Recaption": "A man.", "Overall Score": "2)") + std::string(end));
    EXPECT_THAT(codes(rewrite), IsEmpty()) << end;
    EXPECT_EQ(rewrite.scores.overall, 2.0) << end;
    EXPECT_EQ(rewrite.recaption, "A man.") << end;
  }
}

struct ScoreCase {
  std::string_view written;  // between `"Overall Score": ` and `, "Object Detail Score": 5}`
  double expected;
  std::string_view problem;  // besides the missing scores
};

void PrintTo(const ScoreCase& test, std::ostream* out) { *out << test.written; }

class ScoreForms : public testing::TestWithParam<ScoreCase> {};

TEST_P(ScoreForms, AreReadOrRefusedWithAReason) {
  const ScoreCase& test = GetParam();
  const Assessment found =
      parse(R"({"Overall Score": )" + std::string(test.written) + R"(, "Object Detail Score": 5})");
  EXPECT_EQ(found.scores.overall, test.expected) << describe_problems(found);
  EXPECT_EQ(found.scores.object_detail, 5.0) << describe_problems(found);
  EXPECT_EQ(found.usable, test.expected > 0.0);
  std::vector<std::string> others = codes(found);
  std::erase(others, "missing_score");
  if (test.problem.empty()) {
    EXPECT_THAT(others, IsEmpty()) << describe_problems(found);
  } else {
    EXPECT_THAT(others, ElementsAre(test.problem)) << describe_problems(found);
  }
}

INSTANTIATE_TEST_SUITE_P(
    F43, ScoreForms,
    testing::Values(
        ScoreCase{"\"8\"", 8, ""}, ScoreCase{"8", 8, ""}, ScoreCase{"8.0", 8, ""},
        ScoreCase{"7.5", 7.5, ""}, ScoreCase{"8e0", 8, ""}, ScoreCase{"10", 10, ""},
        ScoreCase{"\"8<Overall>\"", 8, ""}, ScoreCase{"\"10<Overall>\"", 10, ""},
        ScoreCase{"8<Overall>", 8, ""}, ScoreCase{"\" 8 <Overall>\"", 8, ""},
        ScoreCase{"\"8/10\"", 8, "score_form"}, ScoreCase{"8/10", 8, "score_form"},
        ScoreCase{"\"8 out of 10<Overall>\"", 8, "score_form"},
        ScoreCase{"\"eight\"", 8, "score_form"}, ScoreCase{"Eight", 8, "score_form"},
        ScoreCase{"\"4/5\"", -1, "score_unreadable"}, ScoreCase{"\"good\"", -1, "score_unreadable"},
        ScoreCase{"\"7-8\"", -1, "score_unreadable"}, ScoreCase{"\"\"", -1, "score_unreadable"},
        ScoreCase{"\"<Overall>\"", -1, "score_unreadable"},
        ScoreCase{"NaN", -1, "score_unreadable"}, ScoreCase{"Infinity", -1, "score_unreadable"},
        ScoreCase{"null", -1, "score_unreadable"}, ScoreCase{"true", -1, "score_unreadable"},
        ScoreCase{"0x8", -1, "score_unreadable"}, ScoreCase{"[8]", -1, "score_unreadable"},
        ScoreCase{"{\"a\": [8, {\"b\": \"}\"}]}", -1, "score_unreadable"},
        ScoreCase{"11", -1, "score_out_of_range"},
        ScoreCase{"\"11<Overall>\"", -1, "score_out_of_range"},
        ScoreCase{"0", -1, "score_out_of_range"}, ScoreCase{"-1", -1, "score_out_of_range"},
        ScoreCase{"\"zero\"", -1, "score_out_of_range"},
        ScoreCase{"1e400", -1, "score_out_of_range"}, ScoreCase{"-1e400", -1, "score_out_of_range"},
        ScoreCase{"1e-400", -1, "score_out_of_range"}));

struct AnswerCase {
  std::string_view name;
  std::string_view answer;
  double overall;
  std::optional<std::string_view> recaption;
  bool usable;
  std::vector<std::string> problems;
};

void PrintTo(const AnswerCase& test, std::ostream* out) { *out << test.name; }

class AnswerForms : public testing::TestWithParam<AnswerCase> {};

TEST_P(AnswerForms, AreReadAsFarAsTheyGo) {
  const AnswerCase& test = GetParam();
  const Assessment found = parse(test.answer);
  EXPECT_EQ(found.scores.overall, test.overall) << describe_problems(found);
  EXPECT_EQ(found.recaption, test.recaption) << describe_problems(found);
  EXPECT_EQ(found.usable, test.usable) << describe_problems(found);
  EXPECT_EQ(codes(found), test.problems) << describe_problems(found);
}

INSTANTIATE_TEST_SUITE_P(
    F43, AnswerForms,
    testing::ValuesIn(std::vector<AnswerCase>{
        {"Nothing", "", -1, {}, false, {"empty", "missing_score"}},
        {"White", " \n\t", -1, {}, false, {"empty", "missing_score"}},
        {"NoJson", "I think it is 8.", -1, {}, false, {"no_dictionary", "missing_score"}},
        {"EmptyObject", "{}", -1, {}, false, {"missing_score"}},
        {"OnlyABrace", "{", -1, {}, false, {"cut", "missing_score"}},
        {"CutKey", R"({"Overall Sc)", -1, {}, false, {"cut", "missing_score"}},
        {"CutAfterKey", R"({"Overall Score")", -1, {}, false, {"cut", "missing_score"}},
        {"CutBeforeValue", R"({"Overall Score": )", -1, {}, false, {"score_cut", "cut"}},
        {"CutScore", R"({"Overall Score": "1)", -1, {}, false, {"score_cut", "cut"}},
        {"CutRecaption",
         R"({"Recaption": "A man in a)",
         -1,
         "A man in a",
         false,
         {"cut", "recaption_cut", "missing_score"}},
        {"CutAfterRecaption",
         R"({"Recaption": "A man.")",
         -1,
         "A man.",
         true,
         {"cut", "missing_score"}},
        {"CutAtStrayQuote",
         R"({"Recaption": "A sign says "hi")",
         -1,
         R"(A sign says "hi")",
         false,
         {"unescaped_quote", "cut", "recaption_cut", "missing_score"}},
        {"NoBrace", R"("Overall Score": "8<Overall>",)", 8, {}, true, {"no_opening_brace"}},
        {"Fence",
         "```json\n{\"Overall Score\": \"8<Overall>\"}\n```",
         8,
         {},
         true,
         {"text_before", "text_after"}},
        {"BraceInTextBefore",
         R"(The {answer}: {"Overall Score": 8})",
         8,
         {},
         true,
         {"text_before"}},
        {"TwoDictionaries",
         R"({"Overall Score": 8}{"Overall Score": 3})",
         8,
         {},
         true,
         {"text_after"}},
        {"SingleQuotes",
         R"({'Recaption': 'A man's hat', 'Overall Score': '2<Overall>'})",
         2,
         "A man's hat",
         true,
         {"single_quotes", "unescaped_quote"}},
        {"PythonRepr",
         R"({'Recaption': "A man's hat", 'Overall Score': 2})",
         2,
         "A man's hat",
         true,
         {"single_quotes"}},
        {"TrailingComma", R"({"Overall Score": 8, })", 8, {}, true, {"trailing_comma"}},
        {"MissingComma",
         "{\"Recaption\": \"A man.\"\n\"Overall Score\": 2}",
         2,
         "A man.",
         true,
         {"malformed"}},
        {"DuplicateScore",
         R"({"Overall Score": 3, "Overall Score": 9})",
         3,
         {},
         true,
         {"duplicate_key"}},
        {"DuplicateRecaption",
         R"({"Recaption": "a", "Recaption": "b", "Overall Score": 3})",
         3,
         "a",
         true,
         {"duplicate_key"}},
        {"UnknownKey",
         R"({"Mood": "glad, or {so}", "Overall Score": 3})",
         3,
         {},
         true,
         {"unknown_key"}},
        {"OddSpelling", R"({"recaption":"a dog","overall_score":"4"})", 4, "a dog", true, {}},
        {"EscapedSlash",
         R"({"Overall Score": 4, "Text\/Chart Description Score": 11})",
         4,
         {},
         true,
         {"score_out_of_range", "missing_score", "missing_score", "missing_score",
          "missing_score"}},
        {"BareKeys", R"({Recaption: "a dog", Overall Score: 4})", 4, "a dog", true, {}},
        {"EmptyRecaption",
         R"({"Recaption": "", "Overall Score": "2<Overall>",)",
         2,
         "",
         true,
         {"recaption_suspect"}},
        {"NullRecaption",
         R"({"Recaption": null, "Overall Score": 2})",
         2,
         {},
         true,
         {"recaption_unreadable"}},
        {"ListRecaption",
         R"({"Recaption": ["a", "b"], "Overall Score": 2})",
         2,
         {},
         true,
         {"recaption_unreadable"}},
        {"StrayQuotes",
         R"({"Recaption": "A sign says "stop" here", "Overall Score": "2<Overall>",)",
         2,
         R"(A sign says "stop" here)",
         true,
         {"unescaped_quote"}},
        {"StrayQuotesAndComma",
         R"({"Recaption": "It says "stop", "go" and "wait".", "Overall Score": "2<Overall>"})",
         2,
         R"(It says "stop", "go" and "wait".)",
         true,
         {"unescaped_quote"}},
        {"StrayQuoteBeforeBrace",
         R"({"Recaption": "Code "f() {}"} on a screen", "Overall Score": "2<Overall>"})",
         2,
         R"(Code "f() {}"} on a screen)",
         true,
         {"unescaped_quote"}},
        {"UnclosedRecaption",
         R"({"Recaption": "A man, "Overall Score": "2<Overall>",)",
         2,
         "A man",
         true,
         {"unclosed_text", "recaption_cut"}},
        {"UnclosedScore",
         R"({"Overall Score": "2<Overall>, "Overall Explanation": "x",)",
         2,
         {},
         true,
         {"unclosed_text", "cut", "missing_score", "missing_score", "missing_score",
          "missing_score", "missing_score"}},
        {"UnclosedScoreLine",
         "{\"Overall Score\": \"2\n \"Object Detail Score\": 3,",
         2,
         {},
         true,
         {"unclosed_text", "malformed", "cut", "missing_score", "missing_score", "missing_score",
          "missing_score"}},
        {"ChatterAfter",
         R"({"Recaption": "A man.", "Overall Score": "2<Overall>"} I hope so.)",
         2,
         "A man.",
         true,
         {"text_after"}},
        {"DoubledBraces", R"({{"Overall Score": 8}})", 8, {}, true, {"text_before", "text_after"}},
        {"SpecialToken",
         R"({"Recaption": "A man.<|im_end|>", "Overall Score": "2<Overall>",)",
         2,
         "A man.<|im_end|>",
         true,
         {"recaption_suspect"}},
        {"Refusal",
         R"({"Recaption": "I cannot see the image.", "Overall Score": "2<Overall>",)",
         2,
         "I cannot see the image.",
         true,
         {"recaption_suspect"}},
        {"Url",
         R"({"Recaption": "See www.example.com now", "Overall Score": "2<Overall>",)",
         2,
         "See www.example.com now",
         true,
         {"recaption_suspect"}},
    }),
    [](const auto& param) { return std::string(param.param.name); });

TEST(ParseAnswer, ReadsTheScoreFromItsPlaceNotFromTexts) {
  const Assessment found =
      parse(R"({"Recaption": "A screen with \"Overall Score\": \"10<Overall>\", {9<Overall>}", )"
            R"("Overall Score": "2<Overall>",)");
  EXPECT_EQ(found.scores.overall, 2.0);
  EXPECT_EQ(found.recaption, R"(A screen with "Overall Score": "10<Overall>", {9<Overall>})");
}

TEST(ParseAnswer, DecodesEscapes) {
  const auto recaption = [](std::string_view raw) {
    return *parse(R"({"Recaption": ")" + std::string(raw) + R"(", "Overall Score": 2})").recaption;
  };
  EXPECT_EQ(recaption(R"(\"a\" \\ \/ \b\f\n\r\t)"), "\"a\" \\ / \b\f\n\r\t");
  EXPECT_EQ(recaption(R"(\u00e9\u00E9 \u4e2d)"), "éé 中");
  EXPECT_EQ(recaption(R"(\ud83d\ude00!)"), "😀!");
  EXPECT_EQ(recaption(R"(\u0000)"), std::string(1, '\0'));
  EXPECT_EQ(recaption(R"(it\'s)"), "it's");
}

TEST(ParseAnswer, ReplacesBadEscapesAndBytes) {
  for (const std::string_view raw :
       {R"(\ud83d)", R"(\ude00)", R"(\q)", R"(\u12)", R"(\u-123)", "\xFF"}) {
    const Assessment found =
        parse(R"({"Recaption": "a)" + std::string(raw) + R"( b", "Overall Score": 2})");
    EXPECT_TRUE(found.has_problem(Kind::BadEscape)) << raw;
    EXPECT_TRUE(found.recaption->starts_with("a\uFFFD")) << raw << *found.recaption;
    EXPECT_TRUE(is_valid_utf8(*found.recaption)) << raw;
    EXPECT_EQ(found.scores.overall, 2.0) << raw;
  }
  EXPECT_EQ(parse(R"({"Recaption": "\ud83d\u0041", "Overall Score": 2})").recaption, "\uFFFDA");
}

TEST(ParseAnswer, FollowsTheKeysAndScaleOfAFineTune) {
  AnswerKeys keys;
  keys.recaption = "描述";
  keys.scores[0] = "总分";
  keys.score_end = "<总>";
  keys.lowest_score = 0;
  keys.highest_score = 100;
  const Assessment found = parse_answer(R"({"描述": "一只狗", "总分": "73/100<总>",)", keys);
  EXPECT_EQ(found.recaption, "一只狗");
  EXPECT_EQ(found.scores.overall, 73.0);
  EXPECT_THAT(codes(found), ElementsAre("score_form"));
}

TEST(ParseAnswer, ListsABoundedNumberOfProblems) {
  std::string answer = "{";
  for (int i = 0; i < 1000; ++i) answer += "\"k\": 1, ";
  const Assessment found = parse(answer + "\"Overall Score\": 3}");
  EXPECT_EQ(found.problems.size(), kMaxAnswerProblems + 1);
  EXPECT_EQ(found.problems.back().kind, Kind::TooMany);
  EXPECT_EQ(found.scores.overall, 3.0);
}

TEST(ParseAnswer, DescribesProblemsInOneLine) {
  const Assessment found = parse("{\"Overall Score\": \"very\x01 bad\"}");
  EXPECT_EQ(describe_problems(found), "score_unreadable (Overall Score is `very  bad`)");
}

// Every value below is what CPython 3.11's json.loads gives for the same text.
TEST(ParseAnswer, AgreesWithPythonOnWellFormedAnswers) {
  struct Vector {
    std::string_view answer, recaption;
    double overall;
  };
  const std::vector<Vector> vectors = {
      {R"({"Recaption": "caf\u00e9 \u2014 \"ok\"", "Overall Score": "3<Overall>"})",
       "café — \"ok\"", 3},
      {R"({"Overall Score":4.25,"Recaption":"a\\b\/c"})", "a\\b/c", 4.25},
      {"\n{ \"Recaption\"\t:\r\n\"x, \\\"Overall\\\": 9\" ,\n\"Overall Score\" : 1e0 }\n",
       "x, \"Overall\": 9", 1},
      {R"({"Recaption": "\ud834\udd1e {[,]}", "Overall Score": "5"})", "𝄞 {[,]}", 5},
      {R"({"Recaption": "'single' and `ticks`", "Overall Score": 6})", "'single' and `ticks`", 6},
  };
  for (const Vector& vector : vectors) {
    const Assessment found = parse(vector.answer);
    EXPECT_THAT(codes(found), IsEmpty()) << vector.answer;
    EXPECT_EQ(found.recaption, vector.recaption);
    EXPECT_EQ(found.scores.overall, vector.overall);
  }
}

void expect_sound(const Assessment& found) {
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const double score = found.scores.at(static_cast<ScoreField>(i));
    EXPECT_TRUE(score == kNoScore || (score >= 1.0 && score <= 10.0)) << score;
    EXPECT_TRUE(is_valid_utf8(found.explanations.at(static_cast<ScoreField>(i))));
  }
  EXPECT_TRUE(is_valid_utf8(found.recaption.value_or("")));
  EXPECT_TRUE(is_valid_utf8(describe_problems(found)));
  EXPECT_LE(found.problems.size(), kMaxAnswerProblems + 1);
}

TEST(ParseAnswer, SurvivesEveryPrefixOfAnAnswer) {
  for (std::size_t length = 0; length <= kFullAnswer.size(); ++length) {
    const Assessment found = parse(kFullAnswer.substr(0, length));
    expect_sound(found);
    const bool has_more_than_score = length > kFullAnswer.find("\", \"Text Quality Score");
    EXPECT_EQ(length < kFullAnswer.size() && has_more_than_score,
              found.has_problem(Kind::Cut) && has_more_than_score)
        << length;
  }
}

TEST(ParseAnswer, SurvivesMutations) {
  std::mt19937 random(7);
  const std::string_view pieces[] = {"\"", "'",   "\\", "{", "}",         ",",    ":",        "\n",
                                     "[",  "\\u", "9",  "<", "<Overall>", "\xFF", "\xE2\x80", " "};
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 6000; ++round) {
    std::string answer(kFullAnswer);
    for (std::size_t edit = 0; edit < 1 + below(6); ++edit) {
      const std::size_t at = below(answer.size() + 1);
      if (below(2) == 0) {
        answer.insert(at, pieces[below(std::size(pieces))]);
      } else {
        answer.erase(at, below(30));
      }
    }
    expect_sound(parse(answer));
  }
}

class HostileAnswers : public testing::TestWithParam<std::string_view> {};

// From one piece repeated; quadratic time would take minutes.
TEST_P(HostileAnswers, TakeLinearTime) {
  std::string answer = R"({"Recaption": ")";
  while (answer.size() < (std::size_t{1} << 18)) answer += GetParam();
  const auto start = std::chrono::steady_clock::now();
  expect_sound(parse(answer));
  expect_sound(parse(answer.substr(15)));
  expect_sound(parse(answer + R"(", "Overall Score": "3<Overall>"})"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20)) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(F43, HostileAnswers,
                         testing::Values("a", "\"", "\" ", "\",", "\",\"", "\\", "{", "[", "}",
                                         "{\"", "\"}", "\"} ", "'", "\"\n", "\":", "\"a\":",
                                         "\"a\":1,", "\"Overall Score\":", "\"Overall Score\":\"",
                                         "\"Overall Score\": \"<Overa", "\xF0", "\\ud800", "www.a ",
                                         "Overall Score ", "<|", "x x ", "\xE2\x80\x99",
                                         "\"            ", ",           "));

}  // namespace
}  // namespace aitqe
