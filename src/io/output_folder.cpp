#include "aitqe/io/output_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/url.h"
#include "output_store.h"
#include "s3_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return;
  throw Error(ErrorCategory::Output, folder.string() + ": cannot be made: " + error.message());
}

[[noreturn]] void fail_to_read(const fs::path& path, const std::error_code& error) {
  throw Error(ErrorCategory::Output, path.string() + ": cannot be read: " + error.message());
}

/// A file that cannot be looked at now must not be taken for one that was never written.
void require_absent(const fs::path& path, const std::error_code& error) {
  const bool is_absent =
      error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  if (!is_absent) fail_to_read(path, error);
}

class FolderOnDisk : public OutputStore {
 public:
  explicit FolderOnDisk(fs::path folder) : folder_(std::move(folder)) {}

  std::string name() const override { return folder_.string(); }
  bool is_local() const override { return true; }
  const fs::path& work_folder() const override { return folder_; }
  void require_writable() const override { require_writable_folder(folder_); }

  std::optional<std::string> read(const std::string& file) const override {
    const fs::path path = folder_ / file;
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      require_absent(path, {errno, std::generic_category()});
      return std::nullopt;
    }
    std::string bytes;
    std::string piece(std::size_t{64} << 10, '\0');
    while (true) {
      const ssize_t count = ::read(descriptor, piece.data(), piece.size());
      if (count > 0) bytes.append(piece, 0, static_cast<std::size_t>(count));
      if (count < 0 && errno == EINTR) continue;
      if (count > 0) continue;
      const std::error_code error{count < 0 ? errno : 0, std::generic_category()};
      ::close(descriptor);
      if (error) fail_to_read(path, error);
      return bytes;
    }
  }

  std::optional<std::int64_t> size_bytes(const std::string& file) const override {
    std::error_code error;
    const auto size = fs::file_size(folder_ / file, error);
    if (!error) return static_cast<std::int64_t>(size);
    require_absent(folder_ / file, error);
    return std::nullopt;
  }

  std::unique_ptr<Source> open_file(const std::string& file) const override {
    return FileSource::open((folder_ / file).string());
  }

  std::vector<std::string> list(const std::string& folder) const override {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder_ / folder, error), end; !error && entry != end;
         entry.increment(error)) {
      std::string name = entry->path().filename().string();
      if (!name.starts_with('.')) names.push_back(std::move(name));
    }
    if (error) require_absent(folder_ / folder, error);
    std::sort(names.begin(), names.end());
    return names;
  }

  void write(const std::string& file, std::string_view bytes) const override {
    const fs::path path = folder_ / file;
    make_folder(path.parent_path());
    remove_stale_temporaries(path);
    write_atomically(path, bytes);
  }

  void commit(AtomicFile& written, const std::string&) const override { written.commit(); }

  void remove(const std::string& file) const override {
    std::error_code ignored;
    fs::remove(folder_ / file, ignored);
    if (file.find('/') == std::string::npos) return;
    fs::remove((folder_ / file).parent_path(), ignored);  // only where it is empty
  }

 private:
  fs::path folder_;
};

/// Where a file is written, in a folder that is made where needed.
fs::path path_in(const fs::path& folder, const std::string& file) {
  make_folder(folder);
  return folder / file;
}

fs::path default_state_folder() {
  for (const auto& [variable, below] : {std::pair("XDG_CACHE_HOME", ""), {"HOME", ".cache"}}) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value == '/') return fs::path(value) / below / "aitqe";
  }
  throw Error(ErrorCategory::Usage,
              "neither XDG_CACHE_HOME nor HOME names a folder for unfinished shards (--state DIR)");
}

}  // namespace

OutputFolder::OutputFolder(fs::path folder)
    : store_(std::make_shared<FolderOnDisk>(std::move(folder))) {}

OutputFolder OutputFolder::open(const std::string& typed, OutputOptions options) {
  if (is_s3_url(typed)) {
    if (options.state_folder.empty()) options.state_folder = default_state_folder();
    return OutputFolder(std::make_shared<S3Folder>(typed, std::move(options)));
  }
  if (typed.find("://") != std::string::npos) {
    throw Error(ErrorCategory::Usage,
                without_secrets(typed) + ": output goes to a folder or to s3://BUCKET/PREFIX (-o)");
  }
  return {fs::path(typed)};
}

std::string OutputFolder::name() const { return store_->name(); }
bool OutputFolder::is_local() const { return store_->is_local(); }
const fs::path& OutputFolder::work_folder() const { return store_->work_folder(); }
void OutputFolder::require_writable() const { store_->require_writable(); }

std::optional<std::string> OutputFolder::read(const std::string& file) const {
  return store_->read(file);
}
std::optional<std::int64_t> OutputFolder::size_bytes(const std::string& file) const {
  return store_->size_bytes(file);
}
std::unique_ptr<Source> OutputFolder::open_file(const std::string& file) const {
  return store_->open_file(file);
}
std::vector<std::string> OutputFolder::list(const std::string& folder) const {
  return store_->list(folder);
}
void OutputFolder::write(const std::string& file, std::string_view bytes) const {
  store_->write(file, bytes);
}
void OutputFolder::remove(const std::string& file) const { store_->remove(file); }

OutputFolder OutputFolder::listed() const {
  auto listed = store_->listed();
  return listed ? OutputFolder(std::move(listed)) : *this;
}

OutputFile::OutputFile(const OutputFolder& folder, std::string name, const std::string& attempt)
    : store_(folder.store_),
      name_(std::move(name)),
      file_(path_in(folder.work_folder(), name_), attempt) {}

void OutputFile::write_file(const fs::path& from) {
  const std::unique_ptr<FileSource> source = FileSource::open(from.string());
  std::string buffer(std::size_t{256} << 10, '\0');
  try {
    while (const std::size_t count = source->read(buffer)) {
      write(std::string_view(buffer).substr(0, count));
    }
  } catch (const SourceError& error) {
    throw Error(ErrorCategory::NoInput, error.what());
  }
}

FileDigest OutputFile::commit() {
  store_->commit(file_, name_);
  return {file_.size_bytes(), file_.sha256()};
}

}  // namespace aitqe
