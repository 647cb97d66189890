#include "aitqe/quality/answer_text.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace aitqe {

std::string render_answer(const Assessment& assessment, const AnswerKeys& keys) {
  std::string text = "{";
  const auto add = [&text](const std::string& key, const nlohmann::json& value) {
    text += (text.size() > 1 ? ", " : "") + nlohmann::json(key).dump() + ": " + value.dump();
  };
  if (assessment.recaption) add(keys.recaption, *assessment.recaption);
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    const double score = assessment.scores.at(field);
    const bool is_overall = field == ScoreField::Overall;
    if (score >= 0) {
      // In quotes with the end mark for the overall score, a plain number for the others.
      const auto whole = std::llround(score);
      add(keys.scores[i], is_overall ? nlohmann::json(std::to_string(whole) + keys.score_end)
                                     : nlohmann::json(whole));
    }
    const std::string& explanation = assessment.explanations.at(field);
    if (!explanation.empty()) add(keys.explanations[i], explanation);
  }
  return text + "}";
}

}  // namespace aitqe
