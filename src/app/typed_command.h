#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace aitqe::app {

/// The subcommand with its options and their values, from whatever source they came, as a line for
/// a shell: `aitqe enhance 'data/*.tar' --output out --limit 5`. Passwords and queries of URLs,
/// which may carry a key, are left out.
std::string typed_command(const CLI::App& subcommand);

}  // namespace aitqe::app
