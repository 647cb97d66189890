#include "aitqe/io/loss_log.h"

#include <algorithm>

namespace aitqe {

const char* to_string(DamageKind kind) {
  switch (kind) {
    case DamageKind::TruncatedInput:
      return "truncated_input";
    case DamageKind::BadHeader:
      return "bad_header";
    case DamageKind::DataAfterEndMarker:
      return "data_after_end_marker";
    case DamageKind::MemberTooLarge:
      return "member_too_large";
    case DamageKind::ExpansionLimit:
      return "expansion_limit";
    case DamageKind::SourceFailed:
      return "source_failed";
  }
  return "unknown";
}

bool is_loss(const ArchiveDamage& damage) {
  return damage.kind != DamageKind::DataAfterEndMarker || damage.bytes_lost > 0 ||
         damage.pairs_lost != 0;
}

std::string describe_loss(const ArchiveDamage& damage) {
  if (!is_loss(damage)) return "";
  const std::string lost = "; lost: " + std::to_string(damage.bytes_lost) + " bytes, ";
  if (!damage.pairs_lost) return lost + "pairs unknown";
  return lost + "at least " + std::to_string(*damage.pairs_lost) +
         (*damage.pairs_lost == 1 ? " pair" : " pairs");
}

bool LossLog::has_loss() const { return std::any_of(entries_.begin(), entries_.end(), is_loss); }

std::int64_t LossLog::total_bytes() const {
  std::int64_t total = 0;
  for (const ArchiveDamage& damage : entries_) total += damage.bytes_lost;
  return total;
}

std::int64_t LossLog::total_pairs() const {
  std::int64_t total = 0;
  for (const ArchiveDamage& damage : entries_) total += damage.pairs_lost.value_or(0);
  return total;
}

}  // namespace aitqe
