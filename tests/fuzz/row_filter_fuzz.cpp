// libFuzzer target: the expressions of `aitqe select --where`, on any bytes, and what they make of
// two rows. Build with -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aitqe/base/error.h"
#include "aitqe/select/row_filter.h"
#include "report/sample_row.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const aitqe::RowFilter filter = aitqe::RowFilter::parse(text);
    for (const aitqe::ReportRow& row : {aitqe::sample_row(), aitqe::bare_row()}) {
      if (filter(row) != filter(row)) std::abort();
    }
  } catch (const aitqe::Error& error) {
    if (error.category() != aitqe::ErrorCategory::Usage) std::abort();
  }
  return 0;
}
