#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/base/hash.h"

namespace aitqe {

/// A file that appears under its name only when complete: written as `DIR/.NAME.part-ATTEMPT`, then
/// synced, renamed, and its folder synced. An existing file of that name is replaced.
/// One thread at a time. Every failure is Error(Output) with path, reason and free space.
class AtomicFile {
 public:
  /// @param attempt  tells temporaries of concurrent writers apart; "" = HOST-PROCESS.
  explicit AtomicFile(std::filesystem::path path, std::string attempt = "");
  /// Removes the temporary unless committed.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::string_view bytes);
  /// Tells others that the temporary is still wanted (remove_stale_temporaries): to be called often
  /// while nothing is written.
  void keep_alive() const;

  /// After this the file is on disk under its name; nothing may be written any more.
  void commit();
  /// Instead of `commit`, for a file that is to go elsewhere: nothing may be written any more.
  /// @return the temporary, which is there as long as this is.
  const std::filesystem::path& close_temporary();

  const std::filesystem::path& path() const { return path_; }
  /// Bytes given to `write` so far.
  std::int64_t size_bytes() const { return size_bytes_; }
  /// Of all bytes written; 64 hex digits. Only after `commit` or `close_temporary`.
  const std::string& sha256() const { return sha256_; }

 private:
  void flush();
  [[noreturn]] void fail(const std::string& action) const;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::string buffer_;
  std::int64_t size_bytes_ = 0;
  Sha256 hash_;
  std::string sha256_;
};

/// Size and SHA-256 of a file on disk.
struct FileDigest {
  std::int64_t size_bytes = 0;
  std::string sha256;
};

/// Writes a whole small file atomically.
FileDigest write_atomically(const std::filesystem::path& path, std::string_view bytes,
                            const std::string& attempt = "");

/// Copies a file byte for byte, atomically.
/// @throws Error(NoInput) when `from` cannot be read, Error(Output) when `to` cannot be written.
FileDigest copy_atomically(const std::filesystem::path& from, const std::filesystem::path& to,
                           const std::string& attempt = "");

/// Removes temporaries `.NAME.part-*` of these files that nobody writes any more: those of
/// processes of this machine that are no more, and those that nobody has written to for an hour. No
/// lock is asked: on a network file system another machine's run may not see ours. Lists the folder
/// once.
/// @param names  of files in `folder`, whether they exist or not
/// @return how many were removed.
int remove_stale_temporaries(const std::filesystem::path& folder,
                             const std::vector<std::string>& names);
/// Of one file.
int remove_stale_temporaries(const std::filesystem::path& file);

/// @throws Error(Usage) when `output` is `input` or lies in it: what is read would be overwritten.
/// @param option  that named the output, for the message
void require_other_folder(const std::filesystem::path& input, const std::filesystem::path& output,
                          std::string_view option = "-o");

/// For what works in folders on disk alone. @param what  an option or a command, for the message
/// @throws Error(Usage) for anything with a scheme.
void require_on_disk(const std::string& typed, std::string_view what);

/// @throws Error(Usage) as `require_on_disk`; Error(Output) when `folder`, or its closest parent
///         that exists, is no folder that this user may write to. Nothing is made. @param option
///         that named it, for the message
void require_writable_folder(const std::filesystem::path& folder, std::string_view option = "-o");

/// Bytes that this user may still write in `folder`, or in its closest parent that exists.
/// @throws Error(Output) when that cannot be told.
std::int64_t free_space_bytes(const std::filesystem::path& folder);

/// @throws Error(Output) naming both numbers when fewer than `needed_bytes` are free.
void require_free_space(const std::filesystem::path& folder, std::int64_t needed_bytes);

}  // namespace aitqe
