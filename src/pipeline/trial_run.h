#pragma once

#include <vector>

#include "aitqe/pipeline/enhance.h"
#include "aitqe/pipeline/loaded_model.h"

namespace aitqe {

/// The shards that a run has yet to do: those of its task that are not done already.
std::vector<ShardRef> shards_to_do(const EnhanceOptions& options);

/// Runs the pipeline over all of `options.shards`, as it will run, into a temporary folder that is
/// gone afterwards. Neither the output folder nor a trace is touched.
/// @throws Error(Resumable) when it was stopped on request.
EnhanceResult try_out(EnhanceOptions options, const LoadedModel& model, Progress& progress);

}  // namespace aitqe
