#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace aitqe {

/// A file's bytes, mapped read only for as long as this lives. Any number of threads.
class MappedFile {
 public:
  /// @throws Error(Model) when it is no file, empty, or cannot be opened or mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::span<const std::byte> bytes_;
};

}  // namespace aitqe
