#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "aitqe/quality/assessment.h"
#include "aitqe/quality/policy.h"

namespace aitqe {

inline constexpr std::string_view kRowSchema = "aitqe.row/2";
inline constexpr std::string_view kMemberSchema = "aitqe.member/1";

/// The image as it was read; 0 and "" where it could not be.
struct RowImage {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::string format;  ///< "jpeg", "png", "webp"
  std::string sha256;  ///< of the member's bytes
};

/// Where and why a pair failed; both "" for one that did not.
struct RowFailure {
  std::string stage;   ///< "decode", "prompt", "generate", "answer", ...
  std::string reason;  ///< a short code first: "truncated_jpeg: ..."
};

/// One input pair in the report, failed ones too. Texts may hold any bytes here; writing repairs
/// invalid UTF-8 to U+FFFD, so hashes are taken before, from the member's own bytes.
struct ReportRow {
  std::string schema{kRowSchema};
  std::string key;
  std::string shard;
  std::int64_t index = 0;
  std::string caption;
  /// No column: how a rewritten caption was spelt in its JSON document, quotes and all; "" if
  /// `txt`.
  std::string caption_json;
  std::string caption_out;
  Decision decision = Decision::Keep;
  std::string reason;
  std::string recaption;
  Scores scores;
  double score_expected = kNoScore;
  double score_forced = kNoScore;
  double score_recaption = kNoScore;
  double p_rewrite = -1.0;
  Explanations explanations;
  RowImage image;
  bool caption_present = false;
  std::string caption_sha256;
  bool special_token_in_caption = false;
  bool injection_suspect = false;
  std::string injection_sign;  ///< a code of quality/injection.h; "" unless suspect
  std::string uid;
  std::string url;
  std::string answer;
  std::string answer_problems;
  RowFailure failure;
};

/// How to reach one column's value; the alternative is its type.
using ColumnField =
    std::variant<std::string& (*)(ReportRow&), std::int64_t& (*)(ReportRow&),
                 double& (*)(ReportRow&), bool& (*)(ReportRow&), Decision& (*)(ReportRow&)>;

/// One column. A dotted name is a field of a nested object; such columns stand together.
struct Column {
  std::string_view name;
  std::string_view description;
  ColumnField field;

  /// "text", "integer", "float" or "boolean" (a Decision is text).
  std::string_view type_name() const;
};

/// The one list of columns, in the order they are written. JSON lines, Parquet, the reader and
/// docs/formats.md all follow it.
std::span<const Column> report_columns();

/// A column's value as it stands in the row.
using ColumnValue = std::variant<std::string_view, std::int64_t, double, bool>;
ColumnValue column_value(const ReportRow& row, const Column& column);

/// True for a float that stands for "not there": kNoScore, or one that is not finite.
bool is_absent(double value);

/// One line of NAME.aitqe.jsonl, without the newline. Every key in every row, never null; floats
/// always with a decimal point (shortest that reads back equal), -1.0 for one that is absent or not
/// finite; "" for absent text; valid UTF-8 whatever the row holds.
std::string to_json_line(const ReportRow& row);

/// Reads what to_json_line wrote.
/// @throws Error(Damaged) naming the column when the line is no such row: wrong schema, a key
///         missing, unknown or of another type.
ReportRow from_json_line(std::string_view line);

/// The content of KEY.aitqe.json: schema, caption_original, caption_original_base64 ("" unless the
/// bytes are not valid UTF-8), caption_original_json, decision, reason, recaption, scores,
/// score_expected, p_rewrite. The same keys and types for every pair. Ends with a newline.
std::string member_json(const ReportRow& row);

/// What KEY.aitqe.json says of the caption that was there before.
struct MemberRecord {
  Decision decision = Decision::Keep;
  std::string caption;       ///< its bytes, also where they were not valid UTF-8
  std::string caption_json;  ///< as in ReportRow
};

/// @throws Error(Damaged) when `json` is no such file.
MemberRecord read_member(std::string_view json);

}  // namespace aitqe
