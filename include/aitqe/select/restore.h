#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "aitqe/select/finished_shards.h"

namespace aitqe {

/// Writes the shards of an `aitqe enhance` run as they were before it: every rewritten caption is
/// put back byte for byte from KEY.aitqe.json, and that member is left out. The files that lay
/// beside the shards are copied. The folder appears when it is complete.
/// What cannot come back: the compression of a .tar.gz or .tar.zst, and the records that the input
/// had itself (a shard enhanced twice).
/// @return how many captions were put back.
/// @throws Error(Usage) for a shard without tar (`aitqe score`); Error(Output) when the folder is
///         there already; Error(Damaged) when a tar is not the one that its stats describe.
std::int64_t restore_captions(const std::vector<FinishedShard>& shards,
                              const std::filesystem::path& folder);

}  // namespace aitqe
