#pragma once

#include <vector>

#include "aitqe/io/output_folder.h"
#include "aitqe/io/shards.h"
#include "aitqe/pipeline/progress.h"
#include "aitqe/report/stats.h"

namespace aitqe {

/// What tells one version of a file from another without reading it: its time of modification, in
/// nanoseconds since 1970. "" where it is no file.
std::string version_of_input(const ShardRef& shard);

/// Of a shard that is in place. Names, sizes and times are looked at; a file is read (SHA-256) only
/// where its size is the same and its name or time is not. Nothing is asked of a server.
/// @param progress  told of what is read; a request to stop ends it
/// @throws Error(Usage) when its input is another one now; Error(Resumable) when it cannot be told.
void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats, Progress& progress);

/// The input of a shard that is in place, behind a URL.
struct RemoteInput {
  const ShardRef* shard = nullptr;
  InputIdentity before;
};

/// Whether servers can tell one version of such an input from another: `pipe:` commands cannot.
bool can_be_asked(const ShardRef& shard, const InputIdentity& before);

/// Asks for the versions of all, many at once, and reads those that have another one. Inputs that
/// went away are nobody's concern, and a server that does not answer is warned of once.
/// @throws Error(Usage) when one is another now; Error(Resumable) on a request to stop.
void require_same_remote_inputs(const OutputFolder& output_folder,
                                const std::vector<RemoteInput>& inputs, Progress& progress);

/// In place, and its input was read to the end: `enhance` has nothing left to do there.
bool is_finished(const OutputFolder& folder, const std::string& shard_name);

}  // namespace aitqe
