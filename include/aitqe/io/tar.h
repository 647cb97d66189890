#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aitqe/io/loss_log.h"
#include "aitqe/io/source.h"

namespace aitqe {

enum class MemberType { File, Directory, Symlink, Hardlink, CharDevice, BlockDevice, Fifo };

/// What a tar says of a member beside its name and bytes. Texts are bytes as stored, any encoding.
struct MemberMetadata {
  MemberType type = MemberType::File;
  /// Permission bits, at most 07777.
  int mode = 0644;
  std::int64_t mtime_s = 0;
  /// 0 to 999 999 999; not 0 only where the tar has pax times.
  std::int64_t mtime_ns = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::string uname;
  std::string gname;
  /// Of links only.
  std::string link_target;
  /// Of devices only.
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;

  bool operator==(const MemberMetadata&) const = default;
};

/// One member. `name` is kept verbatim, however hostile: it is never used as a path.
struct TarMember {
  std::string name;
  /// Empty unless `metadata.type` is File. Sparse files are filled in with zeros.
  std::string bytes;
  MemberMetadata metadata;
  /// Where its header begins in the uncompressed tar (the pax or GNU header if it has one).
  std::int64_t header_offset = 0;
};

struct TarReaderOptions {
  /// Larger members are left out and reported; nothing is allocated for them. At least 0.
  std::int64_t max_member_bytes = std::int64_t{1} << 30;
  /// What follows an end marker: read (joined archives are common) or only counted.
  /// Either way it is reported.
  bool read_after_end_marker = true;
  /// Uncompressed : compressed size at which a .gz or .zst input is taken for a bomb. At least 1.
  /// Shards of images reach 1 to 3, plain text 10 to 30.
  std::int64_t max_expansion_ratio = 200;
  /// The ratio is looked at only beyond this many uncompressed bytes.
  std::int64_t expansion_grace_bytes = std::int64_t{64} << 20;
};

/// Reads a tar (ustar, pax, GNU, old) member by member, plain or compressed with gzip or zstd,
/// which is told by its first bytes. libarchive does the reading; only its tar format and these two
/// filters are enabled. Damage never throws: it is logged and reading goes on where it can.
/// Not kept: unknown pax records, global pax headers, atime and ctime.
/// One thread at a time; the source and the log must outlive the reader.
class TarReader {
 public:
  TarReader(Source& source, LossLog& losses, TarReaderOptions options = {});
  ~TarReader();
  TarReader(TarReader&&) noexcept;

  /// The next member in archive order, or nothing at the end. At the end the source is finished.
  /// @throws Error(Resumable) when the rest of the source cannot be had now (HttpSource).
  std::optional<TarMember> next();

  /// What messages call this input.
  std::string name() const;
  /// Bytes of the (uncompressed) tar taken from the source so far.
  std::int64_t bytes_read() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// Writes a tar: USTAR, with a pax header before those members that need one (names beyond 100+155
/// bytes or not ASCII, times with nanoseconds, large numbers). Same members in, same bytes out.
/// By hand and not by libarchive, which adds a slash to folder names and whose treatment of names
/// that are not ASCII depends on the locale. One thread at a time.
class TarWriter {
 public:
  /// @param write  takes the archive's bytes in order; may throw, which leaves through `add` and
  ///               `finish` and ends the writer.
  explicit TarWriter(std::function<void(std::string_view)> write);
  ~TarWriter();
  TarWriter(TarWriter&&) noexcept;

  /// @param bytes  written for files only. Device numbers beyond 7 octal digits become 0.
  void add(std::string_view name, std::string_view bytes, const MemberMetadata& metadata);

  /// Writes the zero blocks of the end, up to a multiple of 10 240 bytes as GNU tar. Call once,
  /// after the last `add`.
  void finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
