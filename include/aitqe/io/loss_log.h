#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aitqe {

/// What is wrong with an archive. The names in reports are those of `to_string`.
enum class DamageKind {
  TruncatedInput,      ///< ends without the two zero blocks that close a tar
  BadHeader,           ///< a member header that cannot be read; went on at the next good one
  DataAfterEndMarker,  ///< zero blocks, then more data: joined archives, or a hole of zeros
  MemberTooLarge,      ///< larger than TarReaderOptions::max_member_bytes; left out
  ExpansionLimit,      ///< a compressed input that grows beyond the limits
  SourceFailed,        ///< read error, broken compression, failed `pipe:` command
};

/// snake_case, e.g. "truncated_input".
const char* to_string(DamageKind kind);

/// One damaged place of an archive.
struct ArchiveDamage {
  DamageKind kind = DamageKind::BadHeader;
  /// Where it begins, in bytes of the (uncompressed) tar.
  std::int64_t offset = 0;
  /// Bytes of the tar that were there and could not be used.
  std::int64_t bytes_lost = 0;
  /// Pairs known to lack a member now (a lower bound); not set where that cannot be told, as in a
  /// tar that was cut between two members, or has a hole of zeros.
  std::optional<std::int64_t> pairs_lost;
  /// Complete, with the input's name, for log and report.
  std::string message;
};

/// True when something was lost or may be: all but joined archives that were read on.
bool is_loss(const ArchiveDamage& damage);

/// "; lost: 1024 bytes, at least 1 pair", to stand behind `message`; "" where nothing was lost.
std::string describe_loss(const ArchiveDamage& damage);

/// The damage found while reading one input. One thread at a time.
class LossLog {
 public:
  void add(ArchiveDamage damage) { entries_.push_back(std::move(damage)); }

  const std::vector<ArchiveDamage>& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }

  /// True when something was lost or may be: any entry but archives that were plainly joined
  /// (the next one begins at a whole record of 10 240 bytes) and read on.
  bool has_loss() const;
  std::int64_t total_bytes() const;
  /// Sum over the entries that know.
  std::int64_t total_pairs() const;

 private:
  std::vector<ArchiveDamage> entries_;
};

}  // namespace aitqe
