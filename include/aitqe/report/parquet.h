#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "aitqe/report/row.h"

namespace aitqe {

/// Of a shard's rows: NAME.aitqe.parquet.
inline constexpr const char* kParquetSuffix = ".aitqe.parquet";

/// False where the program was built without Arrow (AITQE_WITH_PARQUET): rows are JSON lines only.
bool has_parquet();

/// What ends a group of rows: whichever is reached first. Bounds the writer's memory.
struct ParquetOptions {
  /// At least 1.
  std::int64_t rows_per_group = 4096;
  /// Texts of the rows of one group.
  std::int64_t text_bytes_per_group = std::int64_t{32} << 20;
};

/// Report rows as Parquet: the columns of `report_columns`, a dotted name as a field of a struct.
/// Texts, integers and booleans are never null; a float that is absent (-1.0) or not finite is.
/// Compressed with zstd, with statistics for each group of rows. The file's metadata says
/// `aitqe.schema`, every column's metadata its description. Same rows in, same bytes out.
/// One thread at a time.
class ParquetWriter {
 public:
  /// @param write  takes the file's bytes in order; what it throws leaves through `add` and
  ///               `finish` and ends the writer. Not called by the destructor.
  /// @throws Error(Usage) without Arrow (has_parquet).
  explicit ParquetWriter(std::function<void(std::string_view)> write, ParquetOptions options = {});
  ~ParquetWriter();
  ParquetWriter(ParquetWriter&&) noexcept;

  void add(const ReportRow& row);

  /// Writes what is left and the footer. Call once, after the last `add`.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
