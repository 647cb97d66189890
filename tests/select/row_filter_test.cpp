#include "aitqe/select/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "aitqe/base/error.h"
#include "report/sample_row.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

bool accepts(const std::string& expression, const ReportRow& row = sample_row()) {
  return RowFilter::parse(expression)(row);
}

std::string error_of(const std::string& expression) {
  try {
    RowFilter::parse(expression);
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Usage);
    return error.what();
  }
  return "no error";
}

TEST(RowFilter, LetsEverythingThroughUnlessTold) { EXPECT_TRUE(RowFilter()(ReportRow())); }

TEST(RowFilter, ComparesNumbers) {
  EXPECT_TRUE(accepts("score_expected == 2.25"));
  EXPECT_TRUE(accepts("score_expected < 4"));
  EXPECT_FALSE(accepts("score_expected < 2.25"));
  EXPECT_TRUE(accepts("score_expected <= 2.25"));
  EXPECT_FALSE(accepts("score_expected > 2.25"));
  EXPECT_TRUE(accepts("score_expected >= 2.25"));
  EXPECT_FALSE(accepts("score_expected != 2.25"));
  EXPECT_TRUE(accepts("scores.object_detail == 4"));
  EXPECT_TRUE(accepts("image.width == 640 and image.height<481 and index >= 347"));
  EXPECT_TRUE(accepts("p_rewrite > -1e3"));
}

TEST(RowFilter, ComparesTexts) {
  EXPECT_TRUE(accepts("decision == \"rewrite\""));
  EXPECT_TRUE(accepts("reason == 'model_rewrites'"));
  EXPECT_FALSE(accepts("reason != 'model_rewrites'"));
  EXPECT_TRUE(accepts("caption_out contains 'dog'"));
  EXPECT_FALSE(accepts("caption_out contains 'Dog'"));
  EXPECT_TRUE(accepts("caption_out contains ''"));
  EXPECT_TRUE(accepts("failure.reason contains \"code\""));
}

TEST(RowFilter, ReadsEscapesInTexts) {
  ReportRow row;
  row.caption = "say \"it's\"\n\t\\";
  EXPECT_TRUE(accepts(R"(caption == "say \"it's\"\n\t\\")", row));
  EXPECT_TRUE(accepts(R"(caption == 'say "it\'s"\n\t\\')", row));
}

TEST(RowFilter, TakesBooleansByName) {
  EXPECT_TRUE(accepts("caption_present"));
  EXPECT_TRUE(accepts("caption_present == true"));
  EXPECT_FALSE(accepts("caption_present != true"));
  EXPECT_FALSE(accepts("not caption_present"));
  EXPECT_FALSE(accepts("caption_present", bare_row()));
}

TEST(RowFilter, BindsNotBeforeAndBeforeOr) {
  EXPECT_TRUE(accepts("index == 347 or index == 0 and index == 1"));
  EXPECT_FALSE(accepts("(index == 347 or index == 0) and index == 1"));
  EXPECT_TRUE(accepts("not index == 0 and index == 347"));
  EXPECT_FALSE(accepts("not (index == 0 or index == 347)"));
  EXPECT_TRUE(accepts("not not index == 347"));
}

TEST(RowFilter, FindsAnAbsentScoreNeitherLowNorHigh) {
  for (const char* expression :
       {"score_expected < 4", "score_expected >= -5", "score_expected == -1", "score_expected != 3",
        "score_expected != null"}) {
    EXPECT_FALSE(accepts(expression, bare_row())) << expression;
  }
  EXPECT_TRUE(accepts("score_expected == null", bare_row()));
  EXPECT_TRUE(accepts("not score_expected < 4", bare_row()));
  EXPECT_TRUE(accepts("score_expected != null"));
}

TEST(RowFilter, KnowsEveryColumn) {
  for (const Column& column : report_columns()) {
    const std::string name(column.name);
    const std::string type(column.type_name());
    const std::string value = type == "text" ? "''" : type == "boolean" ? "true" : "0";
    EXPECT_NO_THROW(RowFilter::parse(name + " == " + value)) << name;
    if (type == "float") {
      EXPECT_EQ(&find_score_column(name), &column);
    } else {
      EXPECT_THROW(find_score_column(name), Error) << name;
    }
  }
}

TEST(RowFilter, NamesTheNearestColumn) {
  EXPECT_EQ(error_of("decison == 'keep'"),
            "--where, character 1: there is no column \"decison\" (docs/formats.md lists them), "
            "found `decison == 'keep'`; did you mean decision?");
  EXPECT_THAT(error_of("index == 1 and scoer_expected < 4"),
              HasSubstr("; did you mean score_expected?"));
}

TEST(FindScoreColumn, NamesTheNearestFloatColumn) {
  try {
    find_score_column("score_expectd");
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Usage);
    EXPECT_STREQ(error.what(),
                 "--by score_expectd: expected a float column (docs/formats.md); did "
                 "you mean score_expected?");
  }
}

TEST(RowFilter, SaysWhereAndWhatWasExpected) {
  EXPECT_EQ(
      error_of("score < 4"),
      "--where, character 1: there is no column \"score\" (docs/formats.md lists them), found "
      "`score < 4`");
  EXPECT_EQ(error_of(""), "--where, character 1: expected a column, found the end");
  EXPECT_EQ(error_of("index == 1 index"),
            "--where, character 12: expected `and`, `or` or the end, found `index`");
  EXPECT_THAT(error_of("reason < 'a'"), HasSubstr("character 8: column reason is of type text"));
  EXPECT_THAT(error_of("reason == 4"), HasSubstr("character 11: column reason is compared with a "
                                                 "text in quotes, found `4`"));
  EXPECT_THAT(error_of("index contains 4"), HasSubstr("of type integer"));
  EXPECT_THAT(error_of("index == null"), HasSubstr("compared with a number, found `null`"));
  EXPECT_THAT(error_of("score_expected < null"), HasSubstr("or by == and != with null"));
  EXPECT_THAT(error_of("caption_present == 1"), HasSubstr("true or false"));
  EXPECT_THAT(error_of("index"), HasSubstr("expected a comparison"));
  EXPECT_THAT(error_of("index == "), HasSubstr("a number, found the end"));
  EXPECT_THAT(error_of("(index == 1"), HasSubstr("character 12: expected `)`, found the end"));
  EXPECT_THAT(error_of("index == 'a"), HasSubstr("no closing quote"));
  EXPECT_THAT(error_of("key == 'a\\x'"), HasSubstr("character 10: expected one of"));
  EXPECT_THAT(error_of("index = 1"), HasSubstr("character 7: expected a column, a value"));
  EXPECT_THAT(error_of("index == 1x"), HasSubstr("expected a number"));
  EXPECT_THAT(error_of("index == 1 AND index == 2"), HasSubstr("expected `and`"));
}

TEST(RowFilter, RefusesWhatWouldUseUpTheStack) {
  const auto repeated = [](int count, const std::string& text) {
    std::string all;
    for (int i = 0; i < count; ++i) all += text;
    return all;
  };
  EXPECT_NO_THROW(RowFilter::parse(repeated(90, "(") + "index == 1" + repeated(90, ")")));
  EXPECT_THAT(error_of(repeated(5000, "(")), HasSubstr("100 deep"));
  EXPECT_THAT(error_of(repeated(5000, "not ")), HasSubstr("100 deep"));
  EXPECT_TRUE(accepts(repeated(900, "index == 1 or ") + "index == 347"));
  EXPECT_THAT(error_of(repeated(5000, "index == 1 or ") + "index == 1"), HasSubstr("1000 times"));
}

}  // namespace
}  // namespace aitqe
