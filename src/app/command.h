#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

namespace aitqe::app {

/// One subcommand: its options and one call into a module below.
class Command {
 public:
  virtual ~Command() = default;

  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;
  /// Shown under --help.
  virtual std::string examples() const = 0;
  virtual void add_options(CLI::App& app) = 0;
  /// Whether --config says anything to it.
  virtual bool takes_config_file() const { return true; }
  /// @return the exit code. @throws Error
  virtual int run() = 0;
};

std::unique_ptr<Command> make_enhance_command();
std::unique_ptr<Command> make_score_command();
std::unique_ptr<Command> make_report_command();
std::unique_ptr<Command> make_status_command();
std::unique_ptr<Command> make_select_command();
std::unique_ptr<Command> make_inspect_command();
std::unique_ptr<Command> make_contrast_command();
std::unique_ptr<Command> make_train_command();
std::unique_ptr<Command> make_convert_command();
std::unique_ptr<Command> make_eval_command();
std::unique_ptr<Command> make_audit_command();
std::unique_ptr<Command> make_config_command();
std::unique_ptr<Command> make_completion_command();
std::unique_ptr<Command> make_man_command();

/// All of them, in the order in which help lists them.
std::vector<std::unique_ptr<Command>> make_commands();

}  // namespace aitqe::app
