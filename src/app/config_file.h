#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe::app {

/// Sets every option of `command` that neither the command line nor the environment has set from a
/// TOML file: keys at the top, or in a table named after the command; `batch-tokens` and
/// `batch_tokens` are the same. Tables of other commands are passed over.
/// @throws Error(Usage) naming file, key and the nearest known key for one that is not known, and
///         for values that do not fit.
void apply_config_file(const std::string& path, CLI::App& command,
                       const std::vector<std::string>& command_names);

/// The same of a file's text. @param path  names it in messages
void apply_config_text(std::string_view text, const std::string& path, CLI::App& command,
                       const std::vector<std::string>& command_names);

}  // namespace aitqe::app
