#include "aitqe/data/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChecksumDigits = 16;
/// A loss of power costs the pairs of about this time (it is looked at whenever one is written to
/// its shard); a killed process none.
constexpr std::chrono::seconds kSyncInterval{5};

std::string checksum(std::string_view number, std::string_view bytes) {
  return sha256_hex(std::string(number) + " " + std::string(bytes)).substr(0, kChecksumDigits);
}

std::string make_line(std::int64_t pair, std::string_view bytes) {
  const std::string number = std::to_string(pair);
  return number + " " + checksum(number, bytes) + " " + std::string(bytes) + "\n";
}

fs::path journal_folder(const fs::path& work_folder) { return work_folder / "_aitqe" / "journal"; }

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  // Not through <filesystem>, which looks at the folder again when it is there, and then it may not
  // be.
  if (!error && ::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
    error = {errno, std::generic_category()};
  }
  if (error) {
    throw Error(ErrorCategory::Output, folder.string() + ": cannot be made: " + error.message());
  }
}

void remove_file(const fs::path& path) {
  ::unlink(path.c_str());
  std::error_code ignored;  // another shard's may still be there
  fs::remove(path.parent_path(), ignored);
}

struct Entry {
  std::int64_t pair = 0;
  std::string_view bytes;
};

/// Nothing for a line that is not whole.
std::optional<Entry> parse_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + kChecksumDigits + 2) {
    return std::nullopt;
  }
  const std::string_view number = line.substr(0, space);
  Entry entry;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), entry.pair);
  if (error != std::errc() || end != number.data() + number.size()) return std::nullopt;
  entry.bytes = line.substr(space + kChecksumDigits + 2);
  const std::string_view found = line.substr(space + 1, kChecksumDigits);
  return found == checksum(number, entry.bytes) ? std::optional(entry) : std::nullopt;
}

}  // namespace

class Journal::State {
 public:
  explicit State(fs::path path) : path_(std::move(path)) {}
  ~State() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// False while another process has it.
  bool open() {
    constexpr int kMostTries = 1000;
    for (int attempt = 0;; ++attempt) {
      make_folder(path_.parent_path());
      descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      // The folder goes with the last journal, and that one's run may be ending just now.
      if (descriptor_ < 0 && errno == ENOENT && attempt < kMostTries) continue;
      if (descriptor_ < 0) fail("cannot be opened");
      // A file system may have no locks; then two runs do the same work.
      if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return false;
      struct stat info {};
      if (fstat(descriptor_, &info) != 0) fail("cannot be looked at");
      if (info.st_nlink > 0) return true;
      ::close(std::exchange(descriptor_, -1));  // its run committed and removed it meanwhile
    }
  }

  void read(std::string_view header) {
    const std::string content = read_all();
    const std::size_t first = content.find('\n');
    if (first == std::string::npos || std::string_view(content).substr(0, first) != header) {
      begin_anew(header);
      return;
    }
    for (std::size_t begin = first + 1; begin < content.size();) {
      const std::size_t end = content.find('\n', begin);
      if (end == std::string::npos) {
        write("\n");  // what a crash cut must not swallow the next line
        break;
      }
      if (const auto entry = parse_line(std::string_view(content).substr(begin, end - begin))) {
        found_[entry->pair] = entry->bytes;
      }
      begin = end + 1;
    }
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot be written");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void sync_if_due() {
    if (Clock::now() - last_sync_ < kSyncInterval) return;
    if (fdatasync(descriptor_) != 0) fail("cannot be synced");
    last_sync_ = Clock::now();
  }

  void remove() const { remove_file(path_); }

  const std::unordered_map<std::int64_t, std::string>& found() const { return found_; }

 private:
  std::string read_all() const {
    std::string content;
    std::string buffer(std::size_t{1} << 20, '\0');
    while (true) {
      const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
      if (count == 0) return content;
      if (count > 0) content.append(buffer, 0, static_cast<std::size_t>(count));
      if (count < 0 && errno != EINTR) fail("cannot be read");
    }
  }

  void begin_anew(std::string_view header) {
    if (ftruncate(descriptor_, 0) != 0) fail("cannot be emptied");
    write(std::string(header) + "\n");
  }

  [[noreturn]] void fail(const char* what) const {
    throw Error(ErrorCategory::Output, path_.string() + ": " + what + ": " + std::strerror(errno));
  }

  fs::path path_;
  int descriptor_ = -1;
  std::unordered_map<std::int64_t, std::string> found_;
  Clock::time_point last_sync_ = Clock::now();
};

Journal::Journal(std::unique_ptr<State> state) : state_(std::move(state)) {}
Journal::~Journal() = default;

std::unique_ptr<Journal> Journal::open(const fs::path& work_folder, const std::string& shard_name,
                                       std::string_view header) {
  assert(header.find('\n') == std::string_view::npos);
  auto state = std::make_unique<State>(path_of(work_folder, shard_name));
  if (!state->open()) return nullptr;
  state->read(header);
  return std::unique_ptr<Journal>(new Journal(std::move(state)));
}

const std::string* Journal::find(std::int64_t pair) const {
  const auto entry = state_->found().find(pair);
  return entry == state_->found().end() ? nullptr : &entry->second;
}

bool Journal::has_all(std::int64_t first, std::int64_t end) const {
  while (first < end && find(first) != nullptr) ++first;
  return first == end;
}

void Journal::add(std::int64_t pair, std::string_view bytes) {
  assert(bytes.find('\n') == std::string_view::npos);
  state_->write(make_line(pair, bytes));
}

void Journal::sync_if_due() { state_->sync_if_due(); }

void Journal::remove() { state_->remove(); }

fs::path Journal::path_of(const fs::path& work_folder, const std::string& shard_name) {
  return journal_folder(work_folder) / shard_name;
}

std::optional<JournalContent> Journal::look(const fs::path& work_folder,
                                            const std::string& shard_name) {
  std::ifstream file(path_of(work_folder, shard_name), std::ios::binary);
  JournalContent content;
  if (!file || !std::getline(file, content.header)) return std::nullopt;
  std::unordered_set<std::int64_t> pairs;
  for (std::string line; std::getline(file, line);) {
    if (const auto entry = parse_line(line)) pairs.insert(entry->pair);
  }
  content.num_pairs = std::ssize(pairs);
  return content;
}

void Journal::discard(const fs::path& work_folder, const std::string& shard_name) {
  const fs::path path = path_of(work_folder, shard_name);
  std::error_code ignored;
  if (fs::exists(path, ignored)) remove_file(path);
}

}  // namespace aitqe
