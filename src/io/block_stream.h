#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/io/loss_log.h"
#include "aitqe/io/source.h"

namespace aitqe {

/// Size of the units a tar is made of (POSIX pax, "ustar Interchange Format").
constexpr std::int64_t kTarBlockBytes = 512;
/// Archives are padded with zeros to a multiple of this (GNU tar's and tarfile's default, 20
/// blocks).
constexpr std::int64_t kTarRecordBytes = 20 * kTarBlockBytes;

/// Feeds a tar to its reader in large pieces and remembers the last two, so that the reader can
/// look at a block before it is parsed and go back a little after a broken one.
/// Only `throw_if_lost` throws: a failing source ends the stream and leaves `failure`, as does one
/// that refuses the rest (Error(NoInput)); one that cannot be had now (any other Error) leaves what
/// `throw_if_lost` throws.
class BlockStream {
 public:
  /// The source must outlive the stream.
  explicit BlockStream(Source& source);

  /// The next bytes for the parser; empty at the end. Valid until the next call.
  std::string_view deliver();

  /// What is held at `offset`, at most one block; shorter only at the end of the stream.
  std::string_view peek_block(std::int64_t offset);

  /// The offset of the first block at or after `offset` that holds a byte other than zero, or
  /// nothing when only zeros follow up to the end.
  std::optional<std::int64_t> find_data(std::int64_t offset);

  /// Makes `deliver` go on at `offset`. False when that was given away already.
  bool seek(std::int64_t offset);

  /// Reads on to the end. Returns the total size.
  std::int64_t drain();

  /// Bytes taken from the source so far.
  std::int64_t bytes_read() const { return next_.end(); }

  struct Failure {
    DamageKind kind = DamageKind::SourceFailed;
    std::string message;
  };
  const std::optional<Failure>& failure() const { return failure_; }

  bool is_lost() const { return lost_ != nullptr; }
  void throw_if_lost() const {
    if (lost_) std::rethrow_exception(lost_);
  }

 private:
  struct Chunk {
    std::vector<char> bytes;
    std::int64_t begin = 0;
    bool is_last = false;  // the source had no more
    std::int64_t end() const { return begin + static_cast<std::int64_t>(bytes.size()); }
    std::string_view from(std::int64_t offset) const {
      return std::string_view(bytes.data(), bytes.size())
          .substr(static_cast<std::size_t>(offset - begin));
    }
  };

  // The chunk at `offset`, read if need be; empty view at the end.
  std::string_view held_at(std::int64_t offset);
  void advance();
  void fill(Chunk& chunk, std::size_t wanted);

  Source& source_;
  std::optional<Failure> failure_;
  std::exception_ptr lost_;
  Chunk current_;
  Chunk next_;
  std::int64_t deliver_from_ = 0;
};

}  // namespace aitqe
