#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace aitqe {

struct HashedFile {
  std::int64_t bytes = 0;
  std::string sha256;
  bool ends_with_line_end = true;  ///< also of an empty file
};

/// Reads a file once, front to back. @param line  called for each line, without its end; may be
/// empty. @throws Error(Damaged) when the file cannot be read or a line is beyond 64 MiB.
HashedFile read_hashed(const std::filesystem::path& path,
                       const std::function<void(std::string_view)>& line = {});

}  // namespace aitqe
