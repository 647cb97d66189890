#pragma once

#include <filesystem>

#include "aitqe/train/parameters.h"

namespace aitqe {

/// Writes the model folder OUT from the one that training started from: every file of it but the
/// weights as it is, OUT/model.safetensors with all weights as they are now, each in the dtype it
/// had, and OUT/adapter/ with what was trained alone (docs/formats.md, "Adapters").
/// @throws Error(Output).
void write_trained_model(const std::filesystem::path& base, const Parameters& parameters,
                         const std::filesystem::path& output_folder);

}  // namespace aitqe
