#pragma once

#include <filesystem>
#include <string>

namespace aitqe {

/// SHA-256 over a model folder's files: small ones whole, of weights the size, the first and the
/// last MiB (a 16 GB checkpoint is not read twice). Names a model in run.json, stats and adapters.
std::string model_fingerprint(const std::filesystem::path& folder);

}  // namespace aitqe
