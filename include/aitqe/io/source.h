#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>

#include "aitqe/base/hash.h"
#include "aitqe/io/shards.h"

namespace aitqe {

/// The bytes of one input end early or are wrong: read error, broken compression, a `pipe:` command
/// that failed. Damage of that input, not of the run; TarReader turns it into an ArchiveDamage.
class SourceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// True when whoever reads wants no more: waits for the network or a pipe end then. May be empty;
/// called often, by the thread that reads.
using StopCheck = std::function<bool()>;

/// A stream of bytes read once, front to back. One thread at a time.
class Source {
 public:
  virtual ~Source() = default;

  /// Reads up to `buffer.size()` bytes; fewer is normal, 0 means the end (or an empty buffer).
  /// @throws SourceError when the bytes cannot be read; Error(Resumable) when they cannot be had
  ///         now (HttpSource) or are not waited for any more (StopCheck), which ends the run and
  ///         not this input alone.
  virtual std::size_t read(std::span<char> buffer) = 0;

  /// What messages call this input: a path, `-`, `pipe:CMD`, a URL without its secrets.
  virtual std::string name() const = 0;

  /// Total size where it is known beforehand (a plain file, memory).
  virtual std::optional<std::int64_t> size_bytes() const { return std::nullopt; }

  /// What tells this version of an object on a server from another: its ETag, or when it was last
  /// modified. "" where nothing does.
  virtual std::string version() const { return ""; }

  /// Says that no more will be read, and checks what can only be checked then. Call once.
  /// @throws SourceError when a `pipe:` command exited non-zero. A command that our early stop
  ///         killed by SIGPIPE did not fail.
  virtual void finish() {}
};

/// A file, a named pipe or standard input.
class FileSource : public Source {
 public:
  /// @param offset_bytes  where to begin; of a regular file
  /// @param should_stop   asked while the other end of a pipe sends nothing; `read` then throws
  ///                      Error(Resumable)
  /// @throws Error(NoInput) when the file cannot be opened or is a folder.
  static std::unique_ptr<FileSource> open(const std::string& path, std::int64_t offset_bytes = 0,
                                          StopCheck should_stop = {});
  static std::unique_ptr<FileSource> standard_input(StopCheck should_stop = {});

  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::size_t read(std::span<char> buffer) override;
  std::string name() const override { return name_; }
  std::optional<std::int64_t> size_bytes() const override { return size_bytes_; }

 private:
  FileSource(int descriptor, std::string name, StopCheck should_stop);

  int descriptor_;
  std::string name_;
  StopCheck should_stop_;
  bool may_wait_ = false;  // no regular file
  std::optional<std::int64_t> size_bytes_;
};

/// What a shell command writes to its standard output; it runs in a process group of its own.
/// The status checked is that of `sh -c CMD`, so of the last command of a pipeline:
/// `pipe:bash -o pipefail -c '...'` covers them all.
class PipeSource : public Source {
 public:
  /// @param should_stop  as of FileSource
  /// @throws Error(NoInput) when no process can be started.
  explicit PipeSource(std::string command, StopCheck should_stop = {});
  /// Ends the command if it still runs.
  ~PipeSource() override;
  PipeSource(const PipeSource&) = delete;
  PipeSource& operator=(const PipeSource&) = delete;

  std::size_t read(std::span<char> buffer) override;
  std::string name() const override;
  void finish() override;

 private:
  std::string command_;
  StopCheck should_stop_;
  int descriptor_ = -1;
  int process_id_ = -1;  // -1 once waited for
  bool saw_end_ = false;
};

/// Bytes in memory; for tests and small inputs.
class MemorySource : public Source {
 public:
  explicit MemorySource(std::string bytes, std::string name = "memory")
      : bytes_(std::move(bytes)), name_(std::move(name)) {}

  std::size_t read(std::span<char> buffer) override;
  std::string name() const override { return name_; }
  std::optional<std::int64_t> size_bytes() const override {
    return static_cast<std::int64_t>(bytes_.size());
  }

 private:
  std::string bytes_;
  std::string name_;
  std::size_t position_ = 0;
};

/// Another source, and size and SHA-256 of what was read from it.
class HashedSource : public Source {
 public:
  explicit HashedSource(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  std::size_t read(std::span<char> buffer) override;
  std::string name() const override { return source_->name(); }
  std::optional<std::int64_t> size_bytes() const override { return source_->size_bytes(); }
  std::string version() const override { return source_->version(); }
  void finish() override { source_->finish(); }

  /// 64 hex digits, or "" unless the end was read.
  const std::string& sha256() const { return sha256_; }
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  std::unique_ptr<Source> source_;
  Sha256 hash_;
  std::int64_t bytes_read_ = 0;
  std::string sha256_;
};

/// Opens a path, `-`, `pipe:CMD`, `http(s)://` or `s3://` (s3.h).
/// @throws Error(NoInput) when it cannot be opened; Error(Usage) where access is denied;
/// Error(Resumable)
///         when the network fails.
std::unique_ptr<Source> open_source(const ShardRef& shard, StopCheck should_stop = {});

}  // namespace aitqe
