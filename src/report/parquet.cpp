#include "aitqe/report/parquet.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <exception>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/text/unicode.h"
#include "column_path.h"

namespace aitqe {
namespace {

/// Not the default: libzstd's level must not change the bytes of a file.
constexpr int kZstdLevel = 3;

/// Gives the file's bytes to a function. What it throws is kept: Arrow's code is not left by
/// exceptions.
class FunctionStream : public arrow::io::OutputStream {
 public:
  explicit FunctionStream(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  arrow::Status Write(const void* data, std::int64_t size) override {
    if (!write_) return arrow::Status::IOError("closed");
    try {
      write_(std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size)));
    } catch (...) {
      thrown_ = std::current_exception();
      write_ = nullptr;
      return arrow::Status::IOError("not written");
    }
    position_ += size;
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;

  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }

  /// From here on nothing is written any more.
  void disconnect() { write_ = nullptr; }
  const std::exception_ptr& thrown() const { return thrown_; }

 private:
  std::function<void(std::string_view)> write_;
  std::exception_ptr thrown_;
  std::int64_t position_ = 0;
};

std::shared_ptr<const arrow::KeyValueMetadata> metadata(const std::string& key,
                                                        std::string_view value) {
  return arrow::key_value_metadata({key}, {std::string(value)});
}

// The type of each alternative of ColumnValue.
struct ArrowType {
  std::shared_ptr<arrow::DataType> operator()(std::string_view) const { return arrow::utf8(); }
  std::shared_ptr<arrow::DataType> operator()(std::int64_t) const { return arrow::int64(); }
  std::shared_ptr<arrow::DataType> operator()(double) const { return arrow::float64(); }
  std::shared_ptr<arrow::DataType> operator()(bool) const { return arrow::boolean(); }
};

std::shared_ptr<arrow::Field> make_field(const Column& column) {
  const ColumnValue value = column_value(ReportRow(), column);
  const bool may_be_null = std::holds_alternative<double>(value);
  return arrow::field(std::string(path_of(column).field), std::visit(ArrowType(), value),
                      may_be_null, metadata("description", column.description));
}

/// Columns in the row's order; those of one group stand together.
struct TopLevelField {
  std::string_view group;  ///< "" for a column of the row itself
  arrow::FieldVector fields;
};

std::vector<TopLevelField> top_level_fields() {
  std::vector<TopLevelField> top;
  for (const Column& column : report_columns()) {
    const std::string_view group = path_of(column).group;
    if (group.empty() || top.empty() || top.back().group != group) top.push_back({group, {}});
    top.back().fields.push_back(make_field(column));
  }
  return top;
}

std::shared_ptr<arrow::Schema> make_schema() {
  arrow::FieldVector fields;
  for (const TopLevelField& top : top_level_fields()) {
    fields.push_back(top.group.empty()
                         ? top.fields.front()
                         : arrow::field(std::string(top.group), arrow::struct_(top.fields), false));
  }
  return arrow::schema(fields, metadata("aitqe.schema", kRowSchema));
}

}  // namespace

class ParquetWriter::State {
 public:
  State(std::function<void(std::string_view)> write, ParquetOptions options)
      : options_(options),
        top_(top_level_fields()),
        schema_(make_schema()),
        stream_(std::make_shared<FunctionStream>(std::move(write))) {
    for (const TopLevelField& top : top_) {
      for (const auto& field : top.fields) {
        check(arrow::MakeBuilder(pool_, field->type(), &builders_.emplace_back()));
      }
    }
    parquet::WriterProperties::Builder properties;
    properties.memory_pool(pool_)
        ->compression(parquet::Compression::ZSTD)
        ->compression_level(kZstdLevel)
        ->version(parquet::ParquetVersion::PARQUET_2_6)
        ->max_row_group_length(options_.rows_per_group);
    parquet::ArrowWriterProperties::Builder arrow_properties;
    arrow_properties.store_schema()->set_use_threads(false);
    writer_ = take(parquet::arrow::FileWriter::Open(*schema_, pool_, stream_, properties.build(),
                                                    arrow_properties.build()));
  }

  ~State() { stream_->disconnect(); }  // the file's own destructor would write a footer
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void add(const ReportRow& row) {
    std::size_t i = 0;
    for (const Column& column : report_columns()) {
      append(*builders_[i++], column_value(row, column));
    }
    ++rows_;
    if (rows_ >= options_.rows_per_group || text_bytes_ >= options_.text_bytes_per_group) flush();
  }

  void finish() {
    if (rows_ > 0) flush();
    check(writer_->Close());
  }

 private:
  void append(arrow::ArrayBuilder& builder, const ColumnValue& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
      const std::string valid = repair_utf8(*text);
      text_bytes_ += static_cast<std::int64_t>(valid.size());
      check(static_cast<arrow::StringBuilder&>(builder).Append(valid));
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      check(static_cast<arrow::Int64Builder&>(builder).Append(*integer));
    } else if (const auto* number = std::get_if<double>(&value)) {
      auto& numbers = static_cast<arrow::DoubleBuilder&>(builder);
      check(is_absent(*number) ? numbers.AppendNull() : numbers.Append(*number));
    } else {
      check(static_cast<arrow::BooleanBuilder&>(builder).Append(std::get<bool>(value)));
    }
  }

  // One group of rows.
  void flush() {
    arrow::ArrayVector columns;
    auto builder = builders_.begin();
    for (const TopLevelField& top : top_) {
      arrow::ArrayVector arrays;
      for (std::size_t i = 0; i < top.fields.size(); ++i) {
        arrays.push_back(take((*builder++)->Finish()));
      }
      columns.push_back(top.group.empty()
                            ? arrays.front()
                            : take(arrow::StructArray::Make(arrays, top.fields, nullptr, 0)));
    }
    check(writer_->WriteTable(*arrow::Table::Make(schema_, columns, rows_), rows_));
    rows_ = 0;
    text_bytes_ = 0;
  }

  void check(const arrow::Status& status) const {
    if (status.ok()) return;
    if (stream_->thrown()) std::rethrow_exception(stream_->thrown());
    throw Error(ErrorCategory::Bug, "Parquet: " + status.ToString());
  }

  template <typename T>
  T take(arrow::Result<T> result) const {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }

  ParquetOptions options_;
  arrow::MemoryPool* pool_ = arrow::system_memory_pool();
  std::vector<TopLevelField> top_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<FunctionStream> stream_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;  // one for each column
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t rows_ = 0;  // in the builders
  std::int64_t text_bytes_ = 0;
};

bool has_parquet() { return true; }

ParquetWriter::ParquetWriter(std::function<void(std::string_view)> write, ParquetOptions options)
    : state_(std::make_unique<State>(std::move(write), options)) {}
ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
void ParquetWriter::add(const ReportRow& row) { state_->add(row); }
void ParquetWriter::finish() { state_->finish(); }

}  // namespace aitqe
