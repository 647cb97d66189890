#include "s3_folder.h"

#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/io/s3_upload.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

S3Location folder_location(const std::string& url) {
  S3Location location = S3Location::parse(url);
  while (location.key.ends_with('/')) location.key.pop_back();
  if (!location.key.empty()) location.key += '/';
  return location;
}

/// Readable, and different for every address.
std::string state_name(const S3Location& prefix) {
  constexpr std::size_t kDigits = 16;
  return prefix.bucket + "-" + sha256_hex(prefix.url()).substr(0, kDigits);
}

}  // namespace

S3Folder::S3Folder(const std::string& url, OutputOptions options)
    : prefix_(folder_location(url)),
      work_folder_(options.state_folder / state_name(prefix_)),
      options_(std::move(options)) {}

std::string S3Folder::name() const {
  std::string url = prefix_.url();
  if (url.ends_with('/')) url.pop_back();
  return url;
}

S3Location S3Folder::location(const std::string& file) const {
  return {prefix_.bucket, prefix_.key + file};
}

S3Client S3Folder::client() const {
  return {S3Settings::read(), options_.should_stop, options_.part_sent};
}

bool S3Folder::is_known_absent(const std::string& file) const {
  return sizes_ && file.find('/') == std::string::npos && !sizes_->contains(file);
}

void S3Folder::require_writable() const {
  require_writable_folder(work_folder_, "--state");
  try {
    list_s3(prefix_, S3Settings::read());
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::NoInput) throw;
    throw Error(ErrorCategory::Output, error.what() + std::string(" (-o)"));
  }
}

std::optional<std::string> S3Folder::read(const std::string& file) const {
  if (is_known_absent(file)) return std::nullopt;
  return read_s3(location(file), client());
}

std::optional<std::int64_t> S3Folder::size_bytes(const std::string& file) const {
  if (sizes_ && file.find('/') == std::string::npos) {
    const auto found = sizes_->find(file);
    return found == sizes_->end() ? std::nullopt : std::optional(found->second);
  }
  const auto found = look_at_s3(location(file), client());
  return found ? std::optional(found->size_bytes) : std::nullopt;
}

std::unique_ptr<Source> S3Folder::open_file(const std::string& file) const {
  return open_s3(location(file), S3Settings::read(), options_.should_stop);
}

std::vector<std::string> S3Folder::list(const std::string& folder) const {
  const S3Location below = location(folder.empty() ? "" : folder + "/");
  std::vector<std::string> names;
  for (const S3Object& object : list_s3(below, S3Settings::read())) {
    std::string name = object.key.substr(below.key.size());
    if (!name.empty() && !name.starts_with('.')) names.push_back(std::move(name));
  }
  return names;
}

void S3Folder::write(const std::string& file, std::string_view bytes) const {
  put_s3(location(file), bytes, client());
}

void S3Folder::commit(AtomicFile& written, const std::string& file) const {
  const fs::path& path = written.close_temporary();
  upload_s3(location(file), path, {written.size_bytes(), written.sha256()}, client());
}

void S3Folder::remove(const std::string& file) const { remove_s3(location(file), client()); }

std::shared_ptr<const OutputStore> S3Folder::listed() const {
  if (sizes_) return nullptr;
  auto sizes = std::make_shared<std::map<std::string, std::int64_t>>();
  for (const S3Object& object : list_s3(prefix_, S3Settings::read())) {
    sizes->emplace(object.key.substr(prefix_.key.size()), object.size_bytes);
  }
  auto folder = std::make_shared<S3Folder>(*this);
  folder->sizes_ = std::move(sizes);
  return folder;
}

}  // namespace aitqe
