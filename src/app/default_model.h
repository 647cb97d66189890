#pragma once

#include <filesystem>

namespace aitqe::app {

/// The model that comes with the program: in a folder of AITQE_MODEL_PATH, or beside the binary
/// (installed: ../share/aitqe/models; in the source tree: models/ of a folder above).
/// @throws Error(Model) naming the places looked at.
std::filesystem::path default_model_folder();

}  // namespace aitqe::app
