#pragma once

#include "aitqe/io/output_folder.h"

namespace aitqe {

/// What an OutputFolder stands for; its functions, for one kind of place.
class OutputStore {
 public:
  virtual ~OutputStore() = default;

  virtual std::string name() const = 0;
  virtual bool is_local() const = 0;
  virtual const std::filesystem::path& work_folder() const = 0;
  virtual void require_writable() const = 0;
  virtual std::optional<std::string> read(const std::string& file) const = 0;
  virtual std::optional<std::int64_t> size_bytes(const std::string& file) const = 0;
  virtual std::unique_ptr<Source> open_file(const std::string& file) const = 0;
  virtual std::vector<std::string> list(const std::string& folder) const = 0;
  virtual void write(const std::string& file, std::string_view bytes) const = 0;
  /// Puts a file that was written in the work folder in place.
  virtual void commit(AtomicFile& written, const std::string& file) const = 0;
  virtual void remove(const std::string& file) const = 0;
  /// Files directly inside and their sizes; null where asking for each is as quick.
  virtual std::shared_ptr<const OutputStore> listed() const { return nullptr; }
};

}  // namespace aitqe
