#pragma once

#include <filesystem>
#include <string>

namespace aitqe {

/// SHA-256 over a model folder's files: small ones whole; of weights name, dtype, shape and both
/// ends of every tensor (a 16 GB checkpoint is not read twice, and training moves whole matrices).
/// Names a model in run.json, stats and adapters. @throws Error(Model) when weights cannot be read.
std::string model_fingerprint(const std::filesystem::path& folder);

}  // namespace aitqe
