#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "aitqe/io/source.h"

namespace aitqe {

struct HashedFile {
  std::int64_t bytes = 0;
  std::string sha256;
  bool ends_with_line_end = true;  ///< also of an empty file
};

/// Reads a file to its end. @param line  called for each line, without its end; may be empty.
/// @throws Error(Damaged) when the file cannot be read or a line is beyond 64 MiB; Error(Resumable)
/// as Source::read.
HashedFile read_hashed(Source& file, const std::function<void(std::string_view)>& line = {});

}  // namespace aitqe
