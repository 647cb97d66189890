#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/report/summary.h"

namespace aitqe {

/// What to do about one kind of failure or damage.
struct Hint {
  std::string_view code;    ///< of failure.reason, or of a ShardDamage
  std::string_view what;    ///< what happened
  std::string_view advice;  ///< what to do
};

/// Every code of a failed pair and of a damaged shard; docs/formats.md has the same table.
std::span<const Hint> hints();
/// Null for a code that is none of ours.
const Hint* find_hint(std::string_view code);

/// The most frequent failures of pairs and damages of shards, a line each, most frequent first:
/// "1,200 pairs failed, image: truncated_image: the image ends early -> fetch it again". At most
/// `most` kinds, then a line with how many there are more. Empty when all is well.
std::vector<std::string> problem_lines(const Summary& summary, std::size_t most);

}  // namespace aitqe
