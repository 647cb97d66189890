#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aitqe {

/// The six things the model scores, in the order it writes them.
enum class ScoreField {
  Overall,
  TextQuality,
  ImageTextMatching,
  ObjectDetail,
  SemanticUnderstanding,
  TextChartDescription,
};
inline constexpr std::size_t kNumScoreFields = 6;

/// The field's name in rows and member files: "overall", "text_quality", ...
std::string_view score_field_name(ScoreField field);

/// The longest answer that may be asked for.
inline constexpr int kMostNewTokens = 8192;

/// The words of the model's answer, its scale and greatest length, and how sure a rewrite must be.
/// The defaults are the released model's; a fine-tune states its own in aitqe.json
/// (prompt_template.h). A key is recognised in any case and whatever punctuation or spaces stand in
/// it.
struct AnswerKeys {
  std::string recaption = "Recaption";
  /// Indexed by ScoreField.
  std::array<std::string, kNumScoreFields> scores = {
      "Overall Score",       "Text Quality Score",           "Image-Text Matching Score",
      "Object Detail Score", "Semantic Understanding Score", "Text/Chart Description Score",
  };
  /// Indexed by ScoreField.
  std::array<std::string, kNumScoreFields> explanations = {
      "Overall Explanation",
      "Text Quality Explanation",
      "Image-Text Matching Explanation",
      "Object Detail Explanation",
      "Semantic Understanding Explanation",
      "Text/Chart Description Explanation",
  };
  /// Stands right after the overall score; generation stops here unless all scores are wanted.
  std::string score_end = "<Overall>";
  /// The scale, both ends included. A score outside it counts as absent.
  double lowest_score = 1.0;
  double highest_score = 10.0;
  /// Tokens after which an answer is cut off. A model that answers in few words says so here: an
  /// answer that goes round in circles is useless at any length, and costs all of it.
  int max_new_tokens = 384;
  /// Set: a new caption is begun where its probability is above this, 0 to 1, and nowhere else.
  /// Not set: where it is the most likely beginning (greedy, the reference).
  std::optional<double> rewrite_above;

  /// `{"Recaption": "`: an answer that starts so is a rewrite.
  std::string recaption_prefix() const { return "{\"" + recaption + "\": \""; }
  /// `{"Overall Score": "`: an answer that starts so keeps the caption.
  std::string score_prefix() const { return "{\"" + scores[0] + "\": \""; }
};

}  // namespace aitqe
