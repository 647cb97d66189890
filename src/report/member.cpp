#include <openssl/evp.h>

#include "aitqe/base/error.h"
#include "aitqe/report/row.h"
#include "aitqe/text/unicode.h"
#include "json_fields.h"

namespace aitqe {
namespace {

std::string to_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a NUL
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string from_base64(std::string_view text, const std::string& where) {
  std::string bytes(3 * (text.size() / 4), '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  if (length < 0 || static_cast<std::size_t>(length) != bytes.size() || bytes.size() < padding) {
    throw Error(ErrorCategory::Damaged, where + " is no base64");
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

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
