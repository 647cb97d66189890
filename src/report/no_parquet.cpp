// Built in place of parquet.cpp where there is no Arrow.
#include "aitqe/base/error.h"
#include "aitqe/report/parquet.h"

namespace aitqe {

class ParquetWriter::State {};

bool has_parquet() { return false; }

ParquetWriter::ParquetWriter(std::function<void(std::string_view)> /*write*/,
                             ParquetOptions /*options*/) {
  throw Error(ErrorCategory::Usage,
              "this program was built without Arrow, so it writes no Parquet (--no-parquet)");
}
ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
void ParquetWriter::add(const ReportRow& row) {}
void ParquetWriter::finish() {}

}  // namespace aitqe
