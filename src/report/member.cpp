#include "aitqe/report/row.h"
#include "aitqe/text/unicode.h"
#include "base64.h"
#include "json_fields.h"

namespace aitqe {
namespace {

void append_field(std::string& json, std::string_view name, std::string_view value) {
  if (json.back() != '{') json += ", ";
  append_json_text(json, name);
  json += ": ";
  append_json_text(json, value);
}

void append_field(std::string& json, std::string_view name, double value) {
  if (json.back() != '{') json += ", ";
  append_json_text(json, name);
  json += ": ";
  append_json_float(json, value);
}

}  // namespace

std::string member_json(const ReportRow& row) {
  std::string json = "{";
  append_field(json, "schema", kMemberSchema);
  append_field(json, "caption_original", row.caption);
  const bool is_text = is_valid_utf8(row.caption);
  append_field(json, "caption_original_base64", is_text ? std::string() : to_base64(row.caption));
  append_field(json, "caption_original_json", row.caption_json);
  append_field(json, "decision", decision_name(row.decision));
  append_field(json, "reason", row.reason);
  append_field(json, "recaption", row.recaption);
  json += ", \"scores\": {";
  for (std::size_t i = 0; i < kNumScoreFields; ++i) {
    const auto field = static_cast<ScoreField>(i);
    append_field(json, score_field_name(field), row.scores.at(field));
  }
  json += '}';
  append_field(json, "score_expected", row.score_expected);
  append_field(json, "p_rewrite", row.p_rewrite);
  return json += "}\n";
}

MemberRecord read_member(std::string_view json) {
  const std::string where = "aitqe.json member";
  const Json document = JsonFields::parse(json, where);
  JsonFields fields(document, where);
  fields.schema(kMemberSchema);
  const std::string base64 = fields.text("caption_original_base64");
  return {decision_from_name(fields.text("decision")),
          base64.empty() ? fields.text("caption_original")
                         : from_base64(base64, fields.path("caption_original_base64")),
          fields.text("caption_original_json")};
}

}  // namespace aitqe
