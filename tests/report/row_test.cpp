#include "aitqe/report/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/error.h"
#include "sample_row.h"

namespace aitqe {
namespace {

using testing::HasSubstr;
using Json = nlohmann::ordered_json;

TEST(ToJsonLine, WritesEveryColumnInOrder) {
  EXPECT_EQ(
      to_json_line(sample_row()),
      R"({"schema": "aitqe.row/2", "key": "000347", "shard": "00012.tar", "index": 347, )"
      R"("caption": "a cat", "caption_out": "A brown dog on grass.", "decision": "rewrite", )"
      R"("reason": "model_rewrites", "recaption": " A brown dog on grass. ", )"
      R"("scores": {"overall": 2.0, "text_quality": 3.0, "image_text_matching": 2.5, )"
      R"("object_detail": 4.0, "semantic_understanding": 5.0, "text_chart_description": 6.0}, )"
      R"("score_expected": 2.25, "score_forced": 2.125, "score_recaption": 7.5, "p_rewrite": 0.875, )"
      R"("explanations": {"overall": "o", "text_quality": "t", "image_text_matching": "i", )"
      R"("object_detail": "d", "semantic_understanding": "s", "text_chart_description": "c"}, )"
      R"("image": {"width": 640, "height": 480, "format": "jpeg", "sha256": "aa"}, )"
      R"("caption_present": true, "caption_sha256": "bb", "special_token_in_caption": true, )"
      R"("injection_suspect": true, "injection_sign": "special_token", )"
      R"("uid": "u1", "url": "http://example.com/a.jpg", "answer": "{", )"
      R"("answer_problems": "cut; missing_score", )"
      R"("failure": {"stage": "stage", "reason": "code: words"}})");
}

/// Names and types of all values, nested ones too.
std::string shape_of(const Json& json) {
  std::string shape;
  for (const auto& [key, value] : json.items()) {
    shape += key + ":" + (value.is_object() ? "{" + shape_of(value) + "}" : value.type_name());
    shape += value.is_number_float() ? "(float) " : " ";
  }
  return shape;
}

TEST(ToJsonLine, HasTheSameShapeForEveryRow) {
  ReportRow whole_numbers = sample_row();
  whole_numbers.score_expected = 8;
  whole_numbers.p_rewrite = 0;
  whole_numbers.scores.overall = 1e22;
  ReportRow failed = bare_row();
  failed.decision = Decision::Failed;
  failed.score_expected = std::numeric_limits<double>::quiet_NaN();
  failed.p_rewrite = std::numeric_limits<double>::infinity();
  const std::string shape = shape_of(Json::parse(to_json_line(sample_row())));
  for (const ReportRow& row : {bare_row(), whole_numbers, failed, ReportRow()}) {
    EXPECT_EQ(shape_of(Json::parse(to_json_line(row))), shape);
  }
  EXPECT_EQ(shape.find("null"), std::string::npos);
}

TEST(ToJsonLine, WritesFloatsWithADecimalPointInTheirShortestForm) {
  const auto written = [](double value) {
    ReportRow row;
    row.p_rewrite = value;
    const std::string line = to_json_line(row);
    const std::size_t begin = line.find("\"p_rewrite\": ") + 13;
    return line.substr(begin, line.find(',', begin) - begin);
  };
  EXPECT_EQ(written(8), "8.0");
  EXPECT_EQ(written(7.25), "7.25");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(1e22), "1.0e+22");
  EXPECT_EQ(written(1.5e-7), "1.5e-07");
  EXPECT_EQ(written(-1), "-1.0");
  EXPECT_EQ(written(0), "0.0");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "-1.0");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "-1.0");
}

TEST(ToJsonLine, IsOneLineOfValidJsonWhateverTheTextsHold) {
  ReportRow row = bare_row();
  row.caption = std::string("\0\x1f\x7f \"q\" \\ /\n\r\t", 14) + "\xFF\xC3\xE2\x80 é 中 😀";
  row.caption += "\u0085\u2028\u2029";
  const std::string line = to_json_line(row);
  EXPECT_EQ(line.find_first_of("\n\r"), std::string::npos);
  EXPECT_EQ(line.find("\u2028"), std::string::npos);
  const Json json = Json::parse(line);
  EXPECT_EQ(json["caption"], std::string("\0\x1f\x7f \"q\" \\ /\n\r\t", 14) +
                                 "\uFFFD\uFFFD\uFFFD é 中 😀\u0085\u2028\u2029");
}

TEST(FromJsonLine, ReadsBackWhatWasWritten) {
  for (const ReportRow& row : {sample_row(), bare_row(), ReportRow()}) {
    const std::string line = to_json_line(row);
    EXPECT_EQ(to_json_line(from_json_line(line)), line);
  }
  EXPECT_EQ(from_json_line(to_json_line(sample_row())).scores.image_text_matching, 2.5);
}

void expect_damaged(const std::string& line, const std::string& message) {
  try {
    from_json_line(line);
    FAIL() << line;
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Damaged);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(FromJsonLine, RefusesWhatIsNoRowAndSaysWhy) {
  const std::string line = to_json_line(sample_row());
  expect_damaged("", "not valid JSON");
  expect_damaged(line.substr(0, line.size() - 10), "not valid JSON");
  expect_damaged("[]", "expected an object");
  expect_damaged("{}", "schema is missing");
  const auto changed = [&line](const std::string& pointer, const Json& value) {
    Json json = Json::parse(line);
    json[Json::json_pointer(pointer)] = value;
    return json.dump();
  };
  expect_damaged(changed("/schema", "aitqe.row/3"), "is \"aitqe.row/3\", expected \"aitqe.row/2\"");
  expect_damaged(changed("/index", "3"), "index must be an integer");
  expect_damaged(changed("/index", 3.5), "index must be an integer");
  expect_damaged(changed("/caption", nullptr), "caption must be a text");
  expect_damaged(changed("/scores/overall", "2"), "scores: overall must be a number");
  expect_damaged(changed("/scores", 2), "scores must be an object");
  expect_damaged(changed("/caption_present", 1), "caption_present must be true or false");
  expect_damaged(changed("/decision", "kept"), "expected keep, rewrite or failed");
  expect_damaged(changed("/extra", 1), "extra is not known");
  expect_damaged(changed("/scores/extra", 1), "scores: extra is not known");
  Json json = Json::parse(line);
  json["image"].erase("width");
  expect_damaged(json.dump(), "image: width is missing");
}

TEST(Columns, HaveDistinctNamesAndStandTogetherInGroups) {
  std::set<std::string_view> names;
  std::set<std::string_view> groups;
  std::string_view group;
  for (const Column& column : report_columns()) {
    EXPECT_TRUE(names.insert(column.name).second) << column.name;
    EXPECT_FALSE(column.description.empty());
    const std::size_t dot = column.name.find('.');
    const auto own = dot == std::string_view::npos ? "" : column.name.substr(0, dot);
    if (own != group && !own.empty()) {
      EXPECT_TRUE(groups.insert(own).second) << column.name;
    }
    group = own;
  }
}

TEST(ColumnValue, IsTheRowsOwn) {
  const ReportRow row = sample_row();
  const auto value = [&row](std::string_view name) {
    for (const Column& column : report_columns()) {
      if (column.name == name) return column_value(row, column);
    }
    return ColumnValue();
  };
  EXPECT_EQ(value("index"), ColumnValue(std::int64_t{347}));
  EXPECT_EQ(value("decision"), ColumnValue(std::string_view("rewrite")));
  EXPECT_EQ(value("scores.image_text_matching"), ColumnValue(2.5));
  EXPECT_EQ(value("caption_present"), ColumnValue(true));
}

}  // namespace
}  // namespace aitqe
