#pragma once

#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace aitqe::app {

/// The file that --config names: a path, or a preset by its name alone ("careful"), which lies with
/// the program: in share/aitqe/configs where it is installed, in configs/ of the source tree.
/// @throws Error(Usage) for a name that is neither, with the nearest preset.
std::string find_config_file(const std::string& name);

/// Sets every option of `command` that neither the command line nor the environment has set from a
/// TOML file: keys at the top, or in a table named after the command; `batch-tokens` and
/// `batch_tokens` are the same. Tables of other commands are passed over.
/// @return the options that it set.
/// @throws Error(Usage) naming file, key and the nearest known key for one that is not known, and
///         for values that do not fit.
std::set<const CLI::Option*> apply_config_file(const std::string& path, CLI::App& command,
                                               const std::vector<std::string>& command_names);

/// The same of a file's text. @param path  names it in messages
std::set<const CLI::Option*> apply_config_text(std::string_view text, const std::string& path,
                                               CLI::App& command,
                                               const std::vector<std::string>& command_names);

}  // namespace aitqe::app
