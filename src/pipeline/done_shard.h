#pragma once

#include "aitqe/io/output_folder.h"
#include "aitqe/io/shards.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// Of a shard that is in place. Only sizes of files are looked at: hashes would read all of them.
/// @throws Error(Usage) when its input is a file of another size now.
void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats);

/// True where the input could not be read to its end then, and perhaps can be now: a disk that
/// failed, a `pipe:` command that did, an answer that ended early.
bool was_cut_off(const ShardStats& stats);

}  // namespace aitqe
