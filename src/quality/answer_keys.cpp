#include "aitqe/quality/answer_keys.h"

namespace aitqe {

std::string_view score_field_name(ScoreField field) {
  static constexpr std::array<std::string_view, kNumScoreFields> kNames = {
      "overall",       "text_quality",           "image_text_matching",
      "object_detail", "semantic_understanding", "text_chart_description",
  };
  return kNames.at(static_cast<std::size_t>(field));
}

}  // namespace aitqe
