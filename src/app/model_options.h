#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "aitqe/pipeline/loaded_model.h"

namespace aitqe::app {

/// `--device` alone.
void add_device_option(CLI::App& app, std::string& device);

/// The options that say which model runs and on what.
void add_model_options(CLI::App& app, ModelOptions& model);

}  // namespace aitqe::app
