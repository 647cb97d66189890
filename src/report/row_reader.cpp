#include "aitqe/report/row_reader.h"

#include <utility>

#include "aitqe/base/error.h"

namespace aitqe {

RowReader::RowReader(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary) {
  if (!file_) throw Error(ErrorCategory::NoInput, path_.string() + ": cannot be opened");
}

std::optional<ReportRow> RowReader::next() {
  if (!std::getline(file_, line_)) return std::nullopt;
  ++num_lines_;
  try {
    return from_json_line(line_);
  } catch (const Error& error) {
    throw Error(error.category(),
                path_.string() + ":" + std::to_string(num_lines_) + ": " + error.what());
  }
}

}  // namespace aitqe
