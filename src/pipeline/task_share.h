#pragma once

#include <string>
#include <vector>

#include "aitqe/pipeline/enhance.h"

namespace aitqe {

/// `job` and behind it those of `names` that are not in it.
std::vector<std::string> joined(std::vector<std::string> job,
                                const std::vector<std::string>& names);

/// The job as the folder's run.json will have it once this run's shards are added.
std::vector<std::string> job_with(const EnhanceOptions& options);

/// The shards of one task: every `count`th of the job, by their places in its list. That list only
/// grows (run.json), so a shard stays its task's, whichever of them a later run is given.
/// @param job  names, those of options.shards among them
/// @return pointers into options.shards, in their order
std::vector<const ShardRef*> shards_of_task(const EnhanceOptions& options,
                                            const std::vector<std::string>& job);

}  // namespace aitqe
