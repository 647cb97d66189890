#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "command.h"

namespace aitqe::app {

/// Whether AITQE_* variables count.
enum class Variables { Read, Ignored };

/// Flags beat AITQE_* variables beat the file of --config; unknown flags and keys are errors that
/// name the nearest one there is.
class CommandLine {
 public:
  explicit CommandLine(const std::vector<std::unique_ptr<Command>>& commands,
                       Variables variables = Variables::Read);

  /// @return the subcommand to run with its options set, or null when help or the version was asked
  ///         for or the line is wrong: then `exit_code` says which.
  /// @throws Error(Usage) for a bad config file.
  Command* parse(int argc, char** argv);

  int exit_code() const { return exit_code_; }

  /// Every subcommand with its options: what help, completions and the manual page are made of.
  const CLI::App& definition() const { return app_; }
  /// Of what `parse` chose: the subcommand, and its options that the file of --config set.
  const CLI::App& chosen() const { return *app_.get_subcommands().front(); }
  const std::set<const CLI::Option*>& set_by_file() const { return set_by_file_; }
  const std::string& config_file() const { return config_file_; }

 private:
  void add_common_options(CLI::App& app, bool with_config_file);
  void explain(const CLI::ParseError& error, const CLI::App& app);

  CLI::App app_;
  std::vector<std::pair<CLI::App*, Command*>> commands_;
  std::string config_file_;
  std::set<const CLI::Option*> set_by_file_;
  std::string log_format_ = "text";
  bool quiet_ = false;
  int exit_code_ = 0;
};

}  // namespace aitqe::app
