#pragma once

#include <map>

#include "aitqe/io/s3_objects.h"
#include "output_store.h"

namespace aitqe {

/// What begins with a prefix in a bucket. Keys and region are asked for anew by each request, so
/// that new keys in a profile count at once.
class S3Folder : public OutputStore {
 public:
  /// @param url  s3://BUCKET/PREFIX
  S3Folder(const std::string& url, OutputOptions options);

  std::string name() const override;
  bool is_local() const override { return false; }
  const std::filesystem::path& work_folder() const override { return work_folder_; }
  void require_writable() const override;
  std::optional<std::string> read(const std::string& file) const override;
  std::optional<std::int64_t> size_bytes(const std::string& file) const override;
  std::unique_ptr<Source> open_file(const std::string& file) const override;
  std::vector<std::string> list(const std::string& folder) const override;
  void write(const std::string& file, std::string_view bytes) const override;
  void commit(AtomicFile& written, const std::string& file) const override;
  void remove(const std::string& file) const override;
  std::shared_ptr<const OutputStore> listed() const override;

 private:
  S3Location location(const std::string& file) const;
  S3Client client() const;
  /// True for a file directly inside that was not there when the list was made.
  bool is_known_absent(const std::string& file) const;

  S3Location prefix_;  // its key ends with a slash, or is ""
  std::filesystem::path work_folder_;
  OutputOptions options_;
  std::shared_ptr<const std::map<std::string, std::int64_t>> sizes_;  // null unless listed
};

}  // namespace aitqe
