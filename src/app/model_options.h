#pragma once

#include <CLI/CLI.hpp>

#include "aitqe/pipeline/loaded_model.h"

namespace aitqe::app {

/// The options that say which model runs and on what.
void add_model_options(CLI::App& app, ModelOptions& model);

}  // namespace aitqe::app
