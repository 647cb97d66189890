#include "aitqe/report/parquet.h"

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "sample_row.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

std::string to_parquet(const std::vector<ReportRow>& rows, ParquetOptions options = {}) {
  std::string bytes;
  ParquetWriter writer([&bytes](std::string_view more) { bytes += more; }, options);
  for (const ReportRow& row : rows) writer.add(row);
  writer.finish();
  return bytes;
}

std::unique_ptr<parquet::arrow::FileReader> open(const std::string& bytes) {
  const auto input = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  return parquet::arrow::OpenFile(input, arrow::default_memory_pool()).ValueOrDie();
}

std::shared_ptr<arrow::Table> read(const std::string& bytes) {
  return open(bytes)->ReadTable().ValueOrDie();
}

/// The values of a column, by its dotted name, as text; "null" for none.
std::vector<std::string> values(const arrow::Table& table, const std::string& name) {
  std::vector<std::string> found;
  const auto flat = table.Flatten().ValueOrDie()->Flatten().ValueOrDie();
  const auto column = flat->GetColumnByName(name);
  for (std::int64_t i = 0; column != nullptr && i < column->length(); ++i) {
    found.push_back(column->GetScalar(i).ValueOrDie()->ToString());
  }
  return found;
}

TEST(ParquetWriter, HasTheColumnsOfTheRowWithTheirTypes) {
  const auto schema = read(to_parquet({sample_row()}))->schema();
  std::size_t at = 0;
  for (const auto& top : schema->fields()) {
    const bool is_group = top->type()->id() == arrow::Type::STRUCT;
    const arrow::FieldVector fields = is_group ? top->type()->fields() : arrow::FieldVector{top};
    for (const auto& field : fields) {
      ASSERT_LT(at, report_columns().size());
      const Column& column = report_columns()[at++];
      EXPECT_EQ(is_group ? top->name() + "." + field->name() : field->name(), column.name);
      const std::string type(column.type_name());
      const std::string expected = type == "text"      ? "string"
                                   : type == "integer" ? "int64"
                                   : type == "float"   ? "double"
                                                       : "bool";
      EXPECT_EQ(field->type()->ToString(), expected) << column.name;
      EXPECT_EQ(field->nullable(), type == "float") << column.name;
      EXPECT_EQ(field->metadata()->Get("description").ValueOrDie(), column.description);
    }
  }
  EXPECT_EQ(at, report_columns().size());
  EXPECT_EQ(schema->metadata()->Get("aitqe.schema").ValueOrDie(), kRowSchema);
}

TEST(ParquetWriter, HoldsTheValuesAndNullForAScoreThatIsNotThere) {
  ReportRow odd = bare_row();
  odd.score_expected = std::numeric_limits<double>::quiet_NaN();
  odd.caption = "caf\xE9";  // no UTF-8
  const auto table = read(to_parquet({sample_row(), bare_row(), odd}));
  using testing::ElementsAre;
  EXPECT_THAT(values(*table, "caption"), ElementsAre("a cat", "", "caf\xEF\xBF\xBD"));
  EXPECT_THAT(values(*table, "decision"), ElementsAre("rewrite", "keep", "keep"));
  EXPECT_THAT(values(*table, "index"), ElementsAre("347", "0", "0"));
  EXPECT_THAT(values(*table, "score_expected"), ElementsAre("2.25", "null", "null"));
  EXPECT_THAT(values(*table, "scores.object_detail"), ElementsAre("4", "null", "null"));
  EXPECT_THAT(values(*table, "p_rewrite"), ElementsAre("0.875", "null", "null"));
  EXPECT_THAT(values(*table, "caption_present"), ElementsAre("true", "false", "false"));
  EXPECT_THAT(values(*table, "failure.reason"), ElementsAre("code: words", "", ""));
}

TEST(ParquetWriter, EndsAGroupByRowsOrByTheBytesOfTexts) {
  std::vector<ReportRow> rows(5, bare_row());
  ParquetOptions two_rows;
  two_rows.rows_per_group = 2;
  EXPECT_EQ(open(to_parquet(rows, two_rows))->num_row_groups(), 3);
  rows[0].caption = std::string(1000, 'x');
  ParquetOptions few_bytes;
  few_bytes.text_bytes_per_group = 1000;
  const auto reader = open(to_parquet(rows, few_bytes));
  EXPECT_EQ(reader->num_row_groups(), 2);
  EXPECT_EQ(reader->parquet_reader()->metadata()->RowGroup(0)->num_rows(), 1);
}

TEST(ParquetWriter, CompressesWithZstdAndKeepsStatisticsOfEachGroup) {
  std::vector<ReportRow> rows(3, bare_row());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].index = static_cast<std::int64_t>(i) + 7;
  const auto reader = open(to_parquet(rows));
  const auto metadata = reader->parquet_reader()->metadata();
  const auto group = metadata->RowGroup(0);
  for (int i = 0; i < group->num_columns(); ++i) {
    const auto chunk = group->ColumnChunk(i);
    EXPECT_EQ(chunk->compression(), parquet::Compression::ZSTD);
    ASSERT_NE(chunk->statistics(), nullptr) << chunk->path_in_schema()->ToDotString();
    if (chunk->path_in_schema()->ToDotString() != "index") continue;
    const auto statistics = std::static_pointer_cast<parquet::Int64Statistics>(chunk->statistics());
    EXPECT_EQ(statistics->min(), 7);
    EXPECT_EQ(statistics->max(), 9);
  }
}

TEST(ParquetWriter, GivesTheSameBytesTwiceAndAfterTheRowsWentThroughJson) {
  ReportRow odd = sample_row();
  odd.caption = "caf\xE9 \xF0\x9F\x98\x80\n";
  odd.score_expected = 1.0 / 3.0;
  std::vector<ReportRow> rows{sample_row(), bare_row(), odd};
  const std::string bytes = to_parquet(rows);
  EXPECT_EQ(to_parquet(rows), bytes);
  for (ReportRow& row : rows) row = from_json_line(to_json_line(row));
  EXPECT_EQ(to_parquet(rows), bytes);
}

TEST(ParquetWriter, IsAFileWithoutRowsToo) {
  const auto table = read(to_parquet({}));
  EXPECT_EQ(table->num_rows(), 0);
  EXPECT_NE(table->schema()->GetFieldByName("score_expected"), nullptr);
}

TEST(ParquetWriter, LetsOutWhatTheSinkThrewAndWritesNothingAfterwards) {
  int calls = 0;
  {
    ParquetOptions one_row;
    one_row.rows_per_group = 1;
    ParquetWriter writer(
        [&calls](std::string_view) {
          if (++calls > 1) throw Error(ErrorCategory::Output, "disk full");
        },
        one_row);
    try {
      writer.add(sample_row());
      writer.finish();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Output);
      EXPECT_THAT(error.what(), HasSubstr("disk full"));
    }
    EXPECT_EQ(calls, 2);
  }
  EXPECT_EQ(calls, 2);
}

TEST(ParquetWriter, WritesNothingWhenItIsDroppedUnfinished) {
  std::string bytes;
  std::size_t before = 0;
  {
    ParquetWriter writer([&bytes](std::string_view more) { bytes += more; });
    writer.add(sample_row());
    before = bytes.size();
  }
  EXPECT_EQ(bytes.size(), before);
}

}  // namespace
}  // namespace aitqe
