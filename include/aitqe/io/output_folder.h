#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/io/sink.h"
#include "aitqe/io/source.h"

namespace aitqe {

class OutputStore;

struct OutputOptions {
  /// Only for output in a bucket: of this machine, for what is not uploaded yet. A folder in it is
  /// taken for each address. "" = `aitqe` in $XDG_CACHE_HOME, or in ~/.cache.
  std::filesystem::path state_folder;
  /// Ends waits between tries; uploads that go on are finished. May be empty.
  StopCheck should_stop;
  /// Told of each part of a file that was uploaded. By any threads; may be empty.
  std::function<void()> part_sent = nullptr;
};

/// Where a run's files go: a folder on disk, or what begins with a prefix in a bucket of S3.
/// Everything appears under its name only when complete, by rename or by upload. Files are named by
/// their path inside, `00000.tar`, `_aitqe/run.json`.
/// A handle: copies are the same folder. Any threads.
/// In a bucket every function may throw Error(Resumable) for a network or server that fails all the
/// while, Error(Usage) without valid keys, and what is named below.
class OutputFolder {
 public:
  /// On disk; it need not exist.
  OutputFolder(std::filesystem::path folder = {});  // NOLINT(google-explicit-constructor)

  /// What a user typed: a path, or `s3://BUCKET/PREFIX`. Asks no server.
  /// @throws Error(Usage) for another scheme, a bucket that is none, or no place for the state.
  static OutputFolder open(const std::string& typed, OutputOptions options = {});

  /// As typed, for messages.
  std::string name() const;
  std::string name_of(const std::string& file) const { return name() + "/" + file; }
  bool is_local() const;
  /// Of this machine: where temporaries and journals are; on disk the folder itself.
  const std::filesystem::path& work_folder() const;

  /// @throws Error(Output) where files cannot be written here, as far as that can be told without
  /// writing any.
  void require_writable() const;

  // `read`, `size_bytes` and `list` throw Error(Output) where a file of a folder on disk is there
  // and cannot be looked at.
  /// The whole of a small file; nothing where there is none.
  std::optional<std::string> read(const std::string& file) const;
  std::optional<std::int64_t> size_bytes(const std::string& file) const;
  /// @throws Error(NoInput) where it cannot be opened.
  std::unique_ptr<Source> open_file(const std::string& file) const;
  /// Names of the files directly inside a folder of this one, `""` for itself; sorted, without
  /// those that begin with a dot.
  std::vector<std::string> list(const std::string& folder = "") const;

  /// Puts a small file in place, over one that is there. @throws Error(Output)
  void write(const std::string& file, std::string_view bytes) const;
  /// One that is not there is fine.
  void remove(const std::string& file) const;

  /// The same, but it goes by a list made now for what is directly inside: many questions cost
  /// little. What comes later is not seen.
  OutputFolder listed() const;

 private:
  friend class OutputFile;
  explicit OutputFolder(std::shared_ptr<const OutputStore> store) : store_(std::move(store)) {}
  std::shared_ptr<const OutputStore> store_;
};

/// A file of an output folder while it is written, in pieces, in the work folder.
/// One thread at a time. Failures as AtomicFile and OutputFolder.
class OutputFile {
 public:
  /// @param attempt  as for AtomicFile
  OutputFile(const OutputFolder& folder, std::string name, const std::string& attempt = "");

  void write(std::string_view bytes) { file_.write(bytes); }
  void keep_alive() const { file_.keep_alive(); }
  /// The bytes of a file on disk.
  /// @throws Error(NoInput) when it cannot be read.
  void write_file(const std::filesystem::path& from);
  /// After this it is in place, over one that was there.
  FileDigest commit();

  const std::string& name() const { return name_; }

 private:
  std::shared_ptr<const OutputStore> store_;
  std::string name_;
  AtomicFile file_;
};

}  // namespace aitqe
