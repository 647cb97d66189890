#include "aitqe/io/source.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "aitqe/base/error.h"
#include "aitqe/io/http.h"
#include "aitqe/io/s3.h"
#include "aitqe/io/url.h"

namespace aitqe {
namespace {

/// Until there are bytes to read, or the end. @throws Error(Resumable) when `should_stop`.
void wait_for_bytes(int descriptor, const std::string& name, const StopCheck& should_stop) {
  constexpr int kLongestPollMs = 100;  // how soon a request to stop is seen
  pollfd waited{descriptor, POLLIN, 0};
  while (poll(&waited, 1, should_stop ? kLongestPollMs : -1) <= 0) {
    if (should_stop && should_stop()) {
      throw Error(ErrorCategory::Resumable, name + ": stopped on request");
    }
  }
}

/// @param wait  called before each try
template <typename Wait>
std::size_t read_descriptor(int descriptor, std::span<char> buffer, const std::string& name,
                            const Wait& wait) {
  while (true) {
    wait();
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) {
      throw SourceError(name + ": cannot be read: " + std::strerror(errno));
    }
  }
}

// A shell reports a child killed by SIGPIPE as 128 + 13.
bool is_broken_pipe(int status) {
  return (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE) ||
         (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGPIPE);
}

int wait_for(int process_id) {
  int status = 0;
  while (waitpid(process_id, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Starts `sh -c command` with its output on `output` and SIGPIPE at its default, so that it ends
// when we stop reading even where our own process ignores that signal. Its own process group lets
// us end all of its processes, and keeps a Ctrl-C meant for us, who stop in good order, from it.
int start_shell(const std::string& command, int output, pid_t* process_id) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  const std::array<char*, 4> arguments{shell.data(), flag.data(), text.data(), nullptr};
  const int error =
      posix_spawn(process_id, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

FileSource::FileSource(int descriptor, std::string name, StopCheck should_stop)
    : descriptor_(descriptor), name_(std::move(name)), should_stop_(std::move(should_stop)) {
  struct stat info {};
  const bool is_known = fstat(descriptor_, &info) == 0;
  if (is_known && S_ISREG(info.st_mode)) size_bytes_ = info.st_size;
  may_wait_ = is_known && !S_ISREG(info.st_mode);
}

std::unique_ptr<FileSource> FileSource::open(const std::string& path, std::int64_t offset_bytes,
                                             StopCheck should_stop) {
  // O_NONBLOCK: a named pipe that nobody writes to yet is waited for in `read`, where it can end.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    throw Error(ErrorCategory::NoInput, path + ": cannot be opened: " + std::strerror(errno));
  }
  std::unique_ptr<FileSource> source(new FileSource(descriptor, path, std::move(should_stop)));
  struct stat info {};
  if (fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode)) {
    throw Error(ErrorCategory::NoInput, path + ": is a folder, expected a tar");
  }
  if (offset_bytes > 0) {
    lseek(descriptor, offset_bytes, SEEK_SET);
  } else {
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return source;
}

std::unique_ptr<FileSource> FileSource::standard_input(StopCheck should_stop) {
  const int descriptor = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) {
    throw Error(ErrorCategory::NoInput,
                std::string("-: no standard input: ") + std::strerror(errno));
  }
  return std::unique_ptr<FileSource>(new FileSource(descriptor, "-", std::move(should_stop)));
}

FileSource::~FileSource() { ::close(descriptor_); }

std::size_t FileSource::read(std::span<char> buffer) {
  return read_descriptor(descriptor_, buffer, name_, [this] {
    if (may_wait_) wait_for_bytes(descriptor_, name_, should_stop_);
  });
}

PipeSource::PipeSource(std::string command, StopCheck should_stop)
    : command_(std::move(command)), should_stop_(std::move(should_stop)) {
  std::array<int, 2> ends{};
  int error = pipe2(ends.data(), O_CLOEXEC) == 0 ? 0 : errno;
  if (error == 0) {
    pid_t process_id = -1;
    error = start_shell(command_, ends[1], &process_id);
    ::close(ends[1]);
    if (error == 0) {
      descriptor_ = ends[0];
      process_id_ = process_id;
      return;
    }
    ::close(ends[0]);
  }
  throw Error(ErrorCategory::NoInput, name() + ": cannot be started: " + std::strerror(error));
}

PipeSource::~PipeSource() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (process_id_ < 0) return;
  kill(-process_id_, SIGTERM);
  wait_for(process_id_);
}

std::string PipeSource::name() const { return without_secrets("pipe:" + command_); }

std::size_t PipeSource::read(std::span<char> buffer) {
  if (buffer.empty()) return 0;
  const std::size_t count = read_descriptor(
      descriptor_, buffer, name(), [this] { wait_for_bytes(descriptor_, name(), should_stop_); });
  saw_end_ = saw_end_ || count == 0;
  return count;
}

void PipeSource::finish() {
  if (process_id_ < 0) return;
  ::close(std::exchange(descriptor_, -1));
  const int status = wait_for(std::exchange(process_id_, -1));
  if (status == 0 || (!saw_end_ && is_broken_pipe(status))) return;
  throw SourceError(name() + ": " +
                    (WIFSIGNALED(status)
                         ? "ended by signal " + std::to_string(WTERMSIG(status))
                         : "exited with status " + std::to_string(WEXITSTATUS(status))) +
                    "; what it wrote may be incomplete");
}

std::size_t MemorySource::read(std::span<char> buffer) {
  const std::size_t count = std::min(buffer.size(), bytes_.size() - position_);
  std::copy_n(bytes_.data() + position_, count, buffer.data());
  position_ += count;
  return count;
}

std::size_t HashedSource::read(std::span<char> buffer) {
  const std::size_t count = source_->read(buffer);
  hash_.update(buffer.data(), count);
  bytes_read_ += static_cast<std::int64_t>(count);
  if (count == 0 && !buffer.empty() && sha256_.empty()) sha256_ = hash_.hex_digest();
  return count;
}

std::unique_ptr<Source> open_source(const ShardRef& shard, StopCheck should_stop) {
  constexpr std::string_view kPipe = "pipe:";
  if (shard.url == "-") return FileSource::standard_input(std::move(should_stop));
  if (shard.url.starts_with(kPipe)) {
    return std::make_unique<PipeSource>(shard.url.substr(kPipe.size()), std::move(should_stop));
  }
  if (is_http_url(shard.url)) return open_http(shard.url, {}, std::move(should_stop));
  if (is_s3_url(shard.url)) return open_s3(shard.url, std::move(should_stop));
  return FileSource::open(shard.url, 0, std::move(should_stop));
}

}  // namespace aitqe
