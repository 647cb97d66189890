#pragma once

#include <filesystem>
#include <string>

#include "aitqe/model/config.h"

namespace aitqe {

/// SHA-256 over a model folder's files: small ones whole; of weights name, dtype, shape and both
/// ends of every tensor (a 16 GB checkpoint is not read twice, and training moves whole matrices).
/// Names the base of an adapter. @throws Error(Model) when weights cannot be read.
std::string model_fingerprint(const std::filesystem::path& folder);

/// The same and the vision tower's config.json and preprocessor_config.json, wherever they were
/// found: names a model in run.json and stats.
std::string model_fingerprint(const std::filesystem::path& folder, const ModelConfig& config);

}  // namespace aitqe
