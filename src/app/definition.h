#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace aitqe::app {

/// An option or positional as CLI11 holds it, for whoever writes it down.
struct OptionDefinition {
  std::string name;                  ///< "--batch-size"; of a positional "input"
  std::string short_name;            ///< "-o", or ""
  std::string value;                 ///< "N"; "" for a flag
  std::vector<std::string> choices;  ///< the values there are; empty where it is free
  std::string description;
  std::string group;          ///< heading in help
  std::string default_value;  ///< "" where there is none to tell
  std::string variable;       ///< AITQE_BATCH_SIZE, or ""
  bool is_positional = false;
  bool takes_several = false;

  bool is_flag() const { return value.empty(); }
  /// Its value is a path.
  bool takes_file() const;
  bool takes_folder_only() const;
};

struct CommandDefinition {
  std::string name;
  std::string summary;
  std::string examples;  ///< lines, indented by two
  std::vector<OptionDefinition> options;
};

/// Every subcommand, in the order of help.
std::vector<CommandDefinition> read_definition(const CLI::App& app);

}  // namespace aitqe::app
