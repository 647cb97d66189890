#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/report/row.h"
#include "sample_row.h"

namespace aitqe {
namespace {

TEST(MemberJson, HoldsTheOriginalAndTheVerdict) {
  EXPECT_EQ(member_json(sample_row()),
            R"({"schema": "aitqe.member/1", "caption_original": "a cat", )"
            R"("caption_original_base64": "", "caption_original_json": "", "decision": "rewrite", )"
            R"("reason": "model_rewrites", )"
            R"("recaption": " A brown dog on grass. ", "scores": {"overall": 2.0, )"
            R"("text_quality": 3.0, "image_text_matching": 2.5, "object_detail": 4.0, )"
            R"("semantic_understanding": 5.0, "text_chart_description": 6.0}, )"
            R"("score_expected": 2.25, "p_rewrite": 0.875})"
            "\n");
}

TEST(MemberJson, HasTheSameKeysAndTypesForEveryPair) {
  const auto shape = [](const ReportRow& row) {
    std::string names;
    const auto json = nlohmann::ordered_json::parse(member_json(row)).flatten();
    for (const auto& [key, value] : json.items()) {
      names += key + (value.is_number_float() ? " float " : " text ");
      EXPECT_TRUE(value.is_number_float() || value.is_string()) << key;
    }
    return names;
  };
  EXPECT_EQ(shape(sample_row()), shape(bare_row()));
  EXPECT_EQ(shape(sample_row()), shape(ReportRow()));
}

TEST(ReadMember, GivesTheVeryBytesBack) {
  for (const std::string& caption :
       {std::string(), std::string("a cat\n"), std::string("\0\x1f", 2), std::string("\xFF"),
        std::string("ab\xFF"), std::string("abc\xC3"), std::string("\xEF\xBB\xBF BOM"),
        std::string("\xFF\xFE"
                    "a\0",
                    4),
        std::string("\u2028é\uFFFD")}) {
    ReportRow row;
    row.caption = caption;
    EXPECT_EQ(read_member(member_json(row)).caption, caption);
  }
}

TEST(ReadMember, SaysWhetherAndHowTheCaptionWasSpelt) {
  ReportRow row = sample_row();
  row.caption_json = R"("caf\u00e9\/")";
  EXPECT_EQ(read_member(member_json(row)).caption_json, row.caption_json);
  EXPECT_EQ(read_member(member_json(row)).decision, Decision::Rewrite);
  EXPECT_EQ(read_member(member_json(bare_row())).decision, Decision::Keep);
}

TEST(ReadMember, RefusesOtherFiles) {
  EXPECT_THROW(read_member("{"), Error);
  EXPECT_THROW(read_member("{}"), Error);
  EXPECT_THROW(read_member(to_json_line(sample_row())), Error);
  std::string bad = member_json(sample_row());
  bad.replace(bad.find("base64\": \"\""), 11, "base64\": \"a*\"");
  EXPECT_THROW(read_member(bad), Error);
}

}  // namespace
}  // namespace aitqe
