#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "aitqe/report/row.h"

namespace aitqe {

/// Reads NAME.aitqe.jsonl row by row. One thread at a time.
class RowReader {
 public:
  /// @throws Error(NoInput) when the file cannot be opened.
  explicit RowReader(std::filesystem::path path);

  /// The next row, or nothing at the end. @throws Error(Damaged) naming file and line.
  std::optional<ReportRow> next();

  /// The row that `next` gave, as it stands in the file.
  const std::string& line() const { return line_; }

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  std::string line_;
  std::int64_t num_lines_ = 0;
};

}  // namespace aitqe
