#pragma once

#include <filesystem>

#include "aitqe/data/caption.h"

namespace aitqe {

/// What OUT/_aitqe/run.json says of how a run read its shards.
struct RunConfig {
  CaptionSource caption_source;
  bool read_after_end_marker = true;

  /// @throws Error(NoInput) when the folder has no such record.
  static RunConfig read(const std::filesystem::path& folder);
};

}  // namespace aitqe
