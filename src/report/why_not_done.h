#pragma once

#include <string>

#include "aitqe/io/output_folder.h"

namespace aitqe {

/// What keeps a shard that has stats from being `committed`, in words; "" where it has no stats.
std::string why_not_done(const OutputFolder& folder, const std::string& shard);

}  // namespace aitqe
