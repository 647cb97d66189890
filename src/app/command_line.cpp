#include "command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/base/nearest.h"
#include "aitqe/base/version.h"
#include "config_file.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// `--batch-tokens` may also come from AITQE_BATCH_TOKENS.
void name_environment_variables(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
    std::string name = "AITQE_" + option->get_lnames().front();
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return c == '-' ? '_' : static_cast<char>(std::toupper(c));
    });
    option->envname(name);
  }
}

}  // namespace

CommandLine::CommandLine(const std::vector<std::unique_ptr<Command>>& commands, Variables variables)
    : app_("aitqe judges image-text pairs and rewrites poor captions.", "aitqe") {
  app_.set_version_flag("--version", "aitqe " + std::string(kVersion));
  app_.require_subcommand(1);
  std::string examples = "Examples:\n";
  for (const auto& command : commands) {
    const std::string all = command->examples();
    examples += all.substr(0, all.find('\n') + 1);
  }
  app_.footer(examples + "\nRun `aitqe COMMAND --help` for options and more examples.");
  for (const auto& command : commands) {
    CLI::App* sub = app_.add_subcommand(command->name(), command->summary());
    command->add_options(*sub);
    add_common_options(*sub, command->takes_config_file());
    sub->footer("Examples:\n" + command->examples());
    if (variables == Variables::Read) name_environment_variables(*sub);
    commands_.emplace_back(sub, command.get());
  }
}

void CommandLine::add_common_options(CLI::App& app, bool with_config_file) {
  if (with_config_file) {
    app.add_option("--config", config_file_,
                   "TOML file with options, or a preset: paper, careful, fast; flags and AITQE_* "
                   "variables beat it")
        ->type_name("FILE")
        ->group("Common");
  }
  app.add_flag("-q,--quiet", quiet_, "Only warnings and errors")->group("Common");
  app.add_option("--log-format", log_format_, "text or json")
      ->type_name("FORMAT")
      ->group("Common")
      ->check(one_of({"text", "json"}))
      ->capture_default_str();
}

Command* CommandLine::parse(int argc, char** argv) {
  start_log(LogFormat::Text, /*only_warnings=*/false);
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const auto parsed = app_.get_subcommands();
    explain(error, parsed.empty() ? app_ : *parsed.front());
    return nullptr;
  }
  const CLI::App* parsed = app_.get_subcommands().front();
  const auto chosen = std::find_if(commands_.begin(), commands_.end(),
                                   [&](const auto& entry) { return entry.first == parsed; });
  if (!config_file_.empty()) {
    std::vector<std::string> command_names;
    for (const auto& [sub, command] : commands_) command_names.push_back(sub->get_name());
    config_file_ = find_config_file(config_file_);
    set_by_file_ = apply_config_file(config_file_, *chosen->first, command_names);
  }
  start_log(log_format_ == "json" ? LogFormat::Json : LogFormat::Text, quiet_);
  return chosen->second;
}

void CommandLine::explain(const CLI::ParseError& error, const CLI::App& app) {
  if (error.get_exit_code() == 0) {  // --help, --version
    exit_code_ = app_.exit(error, std::cout, std::cerr);
    return;
  }
  exit_code_ = aitqe::exit_code(ErrorCategory::Usage);
  std::string message = error.what();
  // An unknown command is reported as a missing one; an ExtrasError bears the command's name.
  const std::vector<std::string> extras = app_.remaining(/*recurse=*/true);
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  const bool may_be_extra =
      code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError;
  if (may_be_extra && !extras.empty()) {
    const std::string word = extras.front().substr(0, extras.front().find('='));
    const bool is_flag = word.starts_with("-");
    std::vector<std::string> known = flag_names(app);
    for (const auto& [sub, command] : commands_) {
      if (!is_flag) known.push_back(sub->get_name());
    }
    message = "unknown " + std::string(is_flag ? "option " : "command ") + word;
    message += did_you_mean(word, known);
  }
  std::fprintf(stderr, "aitqe: %s (see `%s --help`)\n", message.c_str(),
               &app == &app_ ? "aitqe" : ("aitqe " + app.get_name()).c_str());
}

}  // namespace aitqe::app
