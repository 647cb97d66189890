#include <array>
#include <cmath>

#include "aitqe/report/row.h"

namespace aitqe {
namespace {

using Row = ReportRow;

constexpr std::array kColumns = std::to_array<Column>({
    {"schema", "version of this list", +[](Row& r) -> std::string& { return r.schema; }},
    {"key", "the pair's key in its shard", +[](Row& r) -> std::string& { return r.key; }},
    {"shard", "the shard's name, without folder", +[](Row& r) -> std::string& { return r.shard; }},
    {"index", "position of the pair in its shard, from 0",
     +[](Row& r) -> std::int64_t& { return r.index; }},
    {"caption", "the caption as read; invalid UTF-8 as U+FFFD",
     +[](Row& r) -> std::string& { return r.caption; }},
    {"caption_out", "the caption as written: `caption` unless rewritten",
     +[](Row& r) -> std::string& { return r.caption_out; }},
    {"decision", "keep, rewrite or failed", +[](Row& r) -> Decision& { return r.decision; }},
    {"reason", "why (see Reasons)", +[](Row& r) -> std::string& { return r.reason; }},
    {"recaption", "the model's new caption, used or not",
     +[](Row& r) -> std::string& { return r.recaption; }},
    {"scores.overall", "score that the model wrote, 1 to 10",
     +[](Row& r) -> double& { return r.scores.overall; }},
    {"scores.text_quality", "the same; only with --full",
     +[](Row& r) -> double& { return r.scores.text_quality; }},
    {"scores.image_text_matching", "the same; only with --full",
     +[](Row& r) -> double& { return r.scores.image_text_matching; }},
    {"scores.object_detail", "the same; only with --full",
     +[](Row& r) -> double& { return r.scores.object_detail; }},
    {"scores.semantic_understanding", "the same; only with --full",
     +[](Row& r) -> double& { return r.scores.semantic_understanding; }},
    {"scores.text_chart_description", "the same; only with --full",
     +[](Row& r) -> double& { return r.scores.text_chart_description; }},
    {"score_expected", "mean of the overall score under the model's probabilities",
     +[](Row& r) -> double& { return r.score_expected; }},
    {"score_forced", "the same with the answer forced to start with the score",
     +[](Row& r) -> double& { return r.score_forced; }},
    {"score_recaption", "the new caption's own score under the same image; only with --verify",
     +[](Row& r) -> double& { return r.score_recaption; }},
    {"p_rewrite", "probability that the answer starts with a new caption",
     +[](Row& r) -> double& { return r.p_rewrite; }},
    {"explanations.overall", "why the model gave that score; only with --full",
     +[](Row& r) -> std::string& { return r.explanations.overall; }},
    {"explanations.text_quality", "the same",
     +[](Row& r) -> std::string& { return r.explanations.text_quality; }},
    {"explanations.image_text_matching", "the same",
     +[](Row& r) -> std::string& { return r.explanations.image_text_matching; }},
    {"explanations.object_detail", "the same",
     +[](Row& r) -> std::string& { return r.explanations.object_detail; }},
    {"explanations.semantic_understanding", "the same",
     +[](Row& r) -> std::string& { return r.explanations.semantic_understanding; }},
    {"explanations.text_chart_description", "the same",
     +[](Row& r) -> std::string& { return r.explanations.text_chart_description; }},
    {"image.width", "pixels; 0 when not decoded",
     +[](Row& r) -> std::int64_t& { return r.image.width; }},
    {"image.height", "pixels; 0 when not decoded",
     +[](Row& r) -> std::int64_t& { return r.image.height; }},
    {"image.format", "jpeg, png, webp, gif or bmp",
     +[](Row& r) -> std::string& { return r.image.format; }},
    {"image.sha256", "of the image member's bytes",
     +[](Row& r) -> std::string& { return r.image.sha256; }},
    {"caption_present", "false: the pair has no caption",
     +[](Row& r) -> bool& { return r.caption_present; }},
    {"caption_sha256", "of the caption's own bytes, as read",
     +[](Row& r) -> std::string& { return r.caption_sha256; }},
    {"special_token_in_caption", "the caption spells a special token of the model",
     +[](Row& r) -> bool& { return r.special_token_in_caption; }},
    {"injection_suspect", "the caption may speak to the judge instead of describing a picture",
     +[](Row& r) -> bool& { return r.injection_suspect; }},
    {"injection_sign", "what makes it suspect (see Injection signs)",
     +[](Row& r) -> std::string& { return r.injection_sign; }},
    {"uid", "from the input's json", +[](Row& r) -> std::string& { return r.uid; }},
    {"url", "from the input's json", +[](Row& r) -> std::string& { return r.url; }},
    {"answer", "the model's answer as generated, when it could not be read or with -v",
     +[](Row& r) -> std::string& { return r.answer; }},
    {"answer_problems", "what was wrong with it (see Answer problems)",
     +[](Row& r) -> std::string& { return r.answer_problems; }},
    {"failure.stage", "where the pair failed",
     +[](Row& r) -> std::string& { return r.failure.stage; }},
    {"failure.reason", "why: a code, then perhaps a colon and words",
     +[](Row& r) -> std::string& { return r.failure.reason; }},
});

}  // namespace

std::string_view Column::type_name() const {
  static constexpr std::array<std::string_view, std::variant_size_v<ColumnField>> kNames = {
      "text", "integer", "float", "boolean", "text"};
  return kNames.at(field.index());
}

std::span<const Column> report_columns() { return kColumns; }

ColumnValue column_value(const ReportRow& row, const Column& column) {
  // The accessors serve reading and writing alike; through them nothing is changed here.
  auto& mutable_row = const_cast<ReportRow&>(row);
  return std::visit(
      [&mutable_row](auto access) -> ColumnValue {
        auto& value = access(mutable_row);
        if constexpr (std::is_same_v<decltype(value), Decision&>) {
          return decision_name(value);
        } else if constexpr (std::is_same_v<decltype(value), std::string&>) {
          return std::string_view(value);
        } else {
          return value;
        }
      },
      column.field);
}

bool is_absent(double value) { return !std::isfinite(value) || value == kNoScore; }

}  // namespace aitqe
