#include "aitqe/contrast/grade.h"

#include <algorithm>
#include <array>

#include "words.h"

namespace aitqe {

namespace {

/// Scores that a flaw deserves, from worst to best case, in the order of ScoreField, and what to
/// say of it. A mismatch keeps its text quality; a broken text keeps some of its matching.
struct Grade {
  std::array<int, kNumScoreFields> low;
  std::array<int, kNumScoreFields> high;
  std::string_view overall;
  std::string_view text;
  std::string_view matching;
};

constexpr std::string_view kTextFine = "The text is clear and correct.";
constexpr std::string_view kMatches = "The caption says what is shown.";

constexpr std::array<Grade, kNumFlaws> kGrades = {{
    {{1, 7, 1, 1, 1, 1},
     {1, 9, 1, 1, 2, 2},
     "The caption describes another image.",
     kTextFine,
     "Nothing the caption names is shown."},
    {{2, 7, 2, 2, 2, 2},
     {3, 9, 3, 3, 3, 3},
     "The caption fits a similar image, not this one.",
     kTextFine,
     "The kind of image is right, what it shows is not."},
    {{2, 7, 2, 2, 3, 3},
     {4, 9, 4, 3, 4, 4},
     "The caption names a wrong object.",
     kTextFine,
     "One object named is not in the image."},
    {{4, 7, 4, 3, 4, 4},
     {5, 9, 5, 4, 5, 5},
     "The caption names a wrong colour.",
     kTextFine,
     "The object is right, its colour is not."},
    {{4, 7, 4, 3, 4, 4},
     {5, 9, 5, 4, 5, 5},
     "The caption gives a wrong number.",
     kTextFine,
     "The objects are right, their number is not."},
    {{2, 7, 2, 2, 3, 3},
     {4, 9, 4, 4, 4, 4},
     "The caption gives a wrong name.",
     kTextFine,
     "The kind of thing is right, its name is not."},
    {{3, 2, 4, 3, 3, 3},
     {5, 4, 6, 5, 5, 5},
     "The caption is cut off.",
     "The text ends in the middle.",
     "What is left of the caption fits."},
    {{3, 1, 4, 3, 3, 3},
     {4, 2, 6, 5, 4, 4},
     "The words of the caption are in disorder.",
     "The text is no sentence.",
     "The words fit the image."},
    {{1, 1, 1, 1, 1, 1},
     {2, 2, 2, 1, 2, 2},
     "The caption is a file name or placeholder.",
     "The text says nothing.",
     "The caption does not describe the image."},
    {{1, 3, 1, 1, 1, 1},
     {3, 5, 3, 2, 2, 2},
     "The caption is advertising or boilerplate.",
     "The text belongs to a web page.",
     "The caption does not describe the image."},
    {{3, 3, 5, 4, 5, 5},
     {4, 4, 6, 6, 6, 6},
     "The caption is in another language.",
     "The text is not English.",
     "The caption seems to fit the image."},
}};

constexpr Grade kShippedBad = {{2, 2, 2, 1, 2, 2},
                               {3, 3, 3, 2, 2, 2},
                               "The caption is generic and does not describe the image.",
                               "The text names a collection or a source.",
                               "The caption could stand beside any image."};

Assessment judged(const Grade& grade, Random& random) {
  Assessment assessment;
  assessment.usable = true;
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    assessment.scores.at(static_cast<ScoreField>(i)) = random.between(grade.low[i], grade.high[i]);
  }
  const double detail = assessment.scores.object_detail;
  const double meaning = assessment.scores.semantic_understanding;
  const double charts = assessment.scores.text_chart_description;
  Explanations& words = assessment.explanations;
  words.overall = grade.overall;
  words.text_quality = grade.text;
  words.image_text_matching = grade.matching;
  words.object_detail =
      detail > 5 ? "The main objects are named." : "The main objects are not named.";
  words.semantic_understanding =
      meaning > 5 ? "The meaning of the image is clear." : "The meaning of the image is lost.";
  words.text_chart_description =
      charts > 5 ? "No text in the image is left out." : "Text in the image is not described.";
  return assessment;
}

}  // namespace

Assessment grade_good(std::string_view caption, Random& random) {
  // One word tells the least, a sentence the most (DATA: 6 to 8 for titles, 9 and 10 for
  // sentences).
  constexpr std::size_t kSentenceWords = 6;
  constexpr std::size_t kTitleWords = 3;
  const std::size_t num_words = words_of(caption).size();
  const int overall = num_words >= kSentenceWords ? random.between(9, 10)
                      : num_words >= kTitleWords  ? random.between(8, 9)
                                                  : random.between(7, 8);
  const auto at_most = [](int score) { return std::min(score, 10); };
  const Grade grade = {
      {overall, at_most(overall + 1), overall, overall - 1, overall - 1, overall - 1},
      {overall, at_most(overall + 1), at_most(overall + 1), overall, overall, overall},
      num_words >= kSentenceWords ? "The caption describes the image well."
                                  : "The caption fits the image.",
      kTextFine,
      kMatches};
  return judged(grade, random);
}

Assessment grade_spoiled(const SpoiledCaption& spoiled, std::string_view original, Random& random) {
  Assessment assessment = judged(kGrades[static_cast<std::size_t>(spoiled.flaw)], random);
  assessment.recaption = original;
  return assessment;
}

Assessment grade_shipped_bad(std::string_view better, Random& random) {
  Assessment assessment = judged(kShippedBad, random);
  assessment.recaption = better;
  return assessment;
}

}  // namespace aitqe
