#include "aitqe/contrast/training_record.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"

namespace aitqe {

namespace {
constexpr const char* kSchema = "aitqe.contrast/1";
}

std::string TrainingRecord::to_json() const {
  nlohmann::ordered_json scores = nlohmann::ordered_json::object();
  nlohmann::ordered_json explanations = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    const std::string name(score_field_name(field));
    scores[name] = assessment.scores.at(field);
    explanations[name] = assessment.explanations.at(field);
  }
  const nlohmann::ordered_json json = {{"schema", kSchema},
                                       {"source_key", source_key},
                                       {"label", is_good ? "good" : "bad"},
                                       {"flaw", flaw},
                                       {"detail", detail},
                                       {"recaption", assessment.recaption.value_or("")},
                                       {"scores", scores},
                                       {"explanations", explanations}};
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

TrainingRecord TrainingRecord::from_json(std::string_view text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (json.at("schema") != kSchema) {
      throw SampleError("bad_training_record: schema " + json.at("schema").dump() + ", expected " +
                        kSchema);
    }
    TrainingRecord record;
    record.source_key = json.at("source_key").get<std::string>();
    record.is_good = json.at("label") == "good";
    record.flaw = json.value("flaw", "");
    record.detail = json.value("detail", "");
    const auto recaption = json.value("recaption", "");
    if (!recaption.empty()) record.assessment.recaption = recaption;
    for (std::size_t i = 0; i < kNumScoreFields; ++i) {
      const auto field = static_cast<ScoreField>(i);
      const std::string name(score_field_name(field));
      record.assessment.scores.at(field) = json.at("scores").value(name, kNoScore);
      record.assessment.explanations.at(field) = json.at("explanations").value(name, "");
    }
    record.assessment.usable = true;
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw SampleError(std::string("bad_training_record: ") + error.what());
  }
}

}  // namespace aitqe
