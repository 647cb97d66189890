#include "answer_record.h"

#include <nlohmann/json.hpp>

#include "aitqe/base/hash.h"

namespace aitqe {

namespace {

using Json = nlohmann::ordered_json;

/// The pair by all that its answer depends on.
std::string identify(const PreparedSample& prepared) {
  return sha256_hex(std::to_string(prepared.sample.key.size()) + " " + prepared.sample.key +
                    prepared.image.sha256 + prepared.caption);
}

}  // namespace

std::string answer_to_record(const AssessedSample& sample) {
  if (sample.prepared.failure) return "{}";
  const Answer& answer = sample.answer;
  const Json record = {{"pair", identify(sample.prepared)},
                       {"text", answer.text},
                       {"asked_recaption", answer.asked_recaption},
                       {"score_expected", answer.score_expected},
                       {"score_forced", answer.score_forced},
                       {"score_recaption", answer.score_recaption},
                       {"p_rewrite", answer.p_rewrite}};
  try {
    return record.dump();
  } catch (const Json::type_error&) {
    return "{}";  // a text that is no valid UTF-8: the pair is asked again
  }
}

std::optional<Answer> answer_from_record(std::string_view record, const PreparedSample& prepared) {
  const Json json = Json::parse(record, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.value("pair", "") != identify(prepared)) return std::nullopt;
  Answer answer;
  try {
    json.at("text").get_to(answer.text);
    json.at("asked_recaption").get_to(answer.asked_recaption);
    json.at("score_expected").get_to(answer.score_expected);
    json.at("score_forced").get_to(answer.score_forced);
    json.at("score_recaption").get_to(answer.score_recaption);
    json.at("p_rewrite").get_to(answer.p_rewrite);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return answer;
}

}  // namespace aitqe
