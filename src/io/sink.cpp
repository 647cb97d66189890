#include "aitqe/io/sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/shards.h"
#include "aitqe/io/source.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr std::chrono::hours kAbandonedAfter{1};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::string temporary_prefix(const std::string& name) { return "." + name + ".part-"; }

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// Of this process.
std::string default_attempt() { return host_name() + "-" + std::to_string(getpid()); }

/// Ended, but nobody has asked how: it still has its number.
bool is_zombie(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');  // a name may hold anything
  return name_end != std::string::npos && line.substr(name_end + 1).starts_with(" Z");
}

// True for the default attempt of a process of this machine that is no more.
bool is_of_dead_process(std::string_view attempt) {
  const std::string host = host_name() + "-";
  if (!attempt.starts_with(host)) return false;
  attempt.remove_prefix(host.size());
  pid_t process = 0;
  const auto [end, error] =
      std::from_chars(attempt.data(), attempt.data() + attempt.size(), process);
  const bool is_number = error == std::errc() && end == attempt.data() + attempt.size();
  if (!is_number || process <= 0) return false;
  return (kill(process, 0) != 0 && errno == ESRCH) || is_zombie(process);
}

bool is_abandoned(const fs::directory_entry& file) {
  std::error_code error;
  const fs::file_time_type written = file.last_write_time(error);
  return !error && fs::file_time_type::clock::now() - written > kAbandonedAfter;
}

std::string free_space_text(const fs::path& folder) {
  struct statvfs info {};
  if (statvfs(folder.c_str(), &info) != 0) return "free space unknown";
  return std::to_string(static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize) + " bytes free";
}

// Returns 0 or the errno.
int write_fully(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

}  // namespace

AtomicFile::AtomicFile(fs::path path, std::string attempt) : path_(std::move(path)) {
  if (attempt.empty()) attempt = default_attempt();
  temporary_ = folder_of(path_) / (temporary_prefix(path_.filename().string()) + attempt);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& action) const {
  const int error = errno;
  throw Error(ErrorCategory::Output, path_.string() + ": " + action + ": " + std::strerror(error) +
                                         " (" + free_space_text(folder_of(path_)) + ")");
}

void AtomicFile::write(std::string_view bytes) {
  hash_.update(bytes);
  size_bytes_ += static_cast<std::int64_t>(bytes.size());
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() < kBufferBytes) {
    buffer_.append(bytes);
    return;
  }
  errno = write_fully(descriptor_, bytes);
  if (errno != 0) fail("cannot be written");
}

void AtomicFile::keep_alive() const {
  constexpr std::chrono::minutes kOften{5};
  struct stat info {};
  if (descriptor_ < 0 || fstat(descriptor_, &info) != 0) return;
  const auto age = std::chrono::seconds(::time(nullptr) - info.st_mtim.tv_sec);
  if (age > kOften) futimens(descriptor_, nullptr);
}

void AtomicFile::flush() {
  errno = write_fully(descriptor_, buffer_);
  if (errno != 0) fail("cannot be written");
  buffer_.clear();
}

void AtomicFile::commit() {
  flush();
  if (::fsync(descriptor_) != 0) fail("cannot be synced");
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be closed");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be renamed into place");
  temporary_.clear();
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail("folder cannot be opened to sync it");
  // EINVAL: file systems (some FUSE and network ones) that have no such operation.
  const bool is_synced = ::fsync(folder) == 0 || errno == EINVAL;
  const int error = errno;
  ::close(folder);
  errno = error;
  if (!is_synced) fail("folder cannot be synced");
  sha256_ = hash_.hex_digest();
}

const fs::path& AtomicFile::close_temporary() {
  flush();
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be closed");
  sha256_ = hash_.hex_digest();
  return temporary_;
}

FileDigest write_atomically(const fs::path& path, std::string_view bytes,
                            const std::string& attempt) {
  AtomicFile file(path, attempt);
  file.write(bytes);
  file.commit();
  return {file.size_bytes(), file.sha256()};
}

FileDigest copy_atomically(const fs::path& from, const fs::path& to, const std::string& attempt) {
  const std::unique_ptr<FileSource> source = FileSource::open(from.string());
  AtomicFile file(to, attempt);
  std::string buffer(kBufferBytes, '\0');
  try {
    while (const std::size_t count = source->read(buffer)) {
      file.write(std::string_view(buffer).substr(0, count));
    }
  } catch (const SourceError& error) {
    throw Error(ErrorCategory::NoInput, error.what());
  }
  file.commit();
  return {file.size_bytes(), file.sha256()};
}

int remove_stale_temporaries(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> prefixes;
  for (const std::string& name : names) prefixes.push_back(temporary_prefix(name));
  int num_removed = 0;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto prefix = std::ranges::find_if(
        prefixes, [&name](const std::string& start) { return name.starts_with(start); });
    if (prefix == prefixes.end()) continue;
    if (!is_of_dead_process(std::string_view(name).substr(prefix->size())) &&
        !is_abandoned(*entry)) {
      continue;
    }
    std::error_code ignored;
    if (fs::remove(entry->path(), ignored)) ++num_removed;
  }
  return num_removed;
}

int remove_stale_temporaries(const fs::path& file) {
  return remove_stale_temporaries(folder_of(file), {file.filename().string()});
}

namespace {

/// `folder`, or its closest parent that exists.
fs::path closest_existing(const fs::path& folder) {
  fs::path existing = fs::absolute(folder);
  std::error_code error;
  while (!fs::exists(existing, error) && existing != existing.parent_path()) {
    existing = existing.parent_path();
  }
  return existing;
}

}  // namespace

void require_other_folder(const fs::path& input, const fs::path& output, std::string_view option) {
  const fs::path from = fs::weakly_canonical(input);
  const fs::path to = fs::weakly_canonical(output);
  const auto [end, unused] = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
  if (end != from.end()) return;
  throw Error(ErrorCategory::Usage, output.string() + ": is " + (from == to ? "" : "inside ") +
                                        input.string() + ", which is read (" + std::string(option) +
                                        ")");
}

void require_on_disk(const std::string& typed, std::string_view what) {
  if (typed.find("://") == std::string::npos) return;
  throw Error(ErrorCategory::Usage, without_secrets(typed) + ": " + std::string(what) +
                                        " takes a folder on disk; copy it from or to there");
}

void require_writable_folder(const fs::path& folder, std::string_view option) {
  require_on_disk(folder.string(), option);
  const fs::path existing = closest_existing(folder);
  if (!fs::is_directory(existing)) {
    throw Error(ErrorCategory::Output, folder.string() + ": cannot be made, " + existing.string() +
                                           " is not a folder (" + std::string(option) + ")");
  }
  if (access(existing.c_str(), W_OK | X_OK) != 0) {
    throw Error(ErrorCategory::Output, folder.string() + ": cannot be written, " +
                                           existing.string() + ": " + std::strerror(errno) + " (" +
                                           std::string(option) + ")");
  }
}

std::int64_t free_space_bytes(const fs::path& folder) {
  const fs::path existing = closest_existing(folder);
  std::error_code error;
  const fs::space_info space = fs::space(existing, error);
  if (error) {
    throw Error(ErrorCategory::Output,
                existing.string() + ": free space cannot be told: " + error.message());
  }
  return static_cast<std::int64_t>(space.available);
}

void require_free_space(const fs::path& folder, std::int64_t needed_bytes) {
  const std::int64_t free_bytes = free_space_bytes(folder);
  if (free_bytes >= needed_bytes) return;
  throw Error(ErrorCategory::Output, folder.string() + ": " + std::to_string(free_bytes) +
                                         " bytes free, needs " + std::to_string(needed_bytes));
}

}  // namespace aitqe
