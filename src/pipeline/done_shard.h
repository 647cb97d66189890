#pragma once

#include "aitqe/io/output_folder.h"
#include "aitqe/io/shards.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// What tells one version of a file from another without reading it: its time of modification, in
/// nanoseconds. "" where it is no file.
std::string version_of_input(const ShardRef& shard);

/// Of a shard that is in place. Names, sizes and times are looked at; a file is read (SHA-256) only
/// where its size is the same and its name or time is not.
/// @throws Error(Usage) when its input is another one now.
void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats);

/// In place, and its input was read to the end: `enhance` has nothing left to do there.
bool is_finished(const OutputFolder& folder, const std::string& shard_name);

}  // namespace aitqe
