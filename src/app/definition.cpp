#include "definition.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace aitqe::app {

namespace {

/// "{text,json}" -> text, json
std::vector<std::string> read_choices(const std::string& type_name) {
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open == std::string::npos ? 0 : open);
  std::vector<std::string> choices;
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::string rest = type_name.substr(open + 1, close - open - 1) + ",";
  for (std::size_t comma = rest.find(','); comma != std::string::npos; comma = rest.find(',')) {
    choices.push_back(rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  return choices;
}

OptionDefinition read_option(const CLI::Option& option) {
  OptionDefinition read;
  read.is_positional = option.get_positional();
  read.name = read.is_positional ? option.get_name(/*positional=*/true)
                                 : "--" + option.get_lnames().front();
  if (!option.get_snames().empty()) read.short_name = "-" + option.get_snames().front();
  if (option.get_items_expected_max() > 0) {
    const std::string type_name = option.get_type_name();
    read.value = type_name.substr(0, type_name.find(':'));
    read.choices = read_choices(type_name);
    read.takes_several = option.get_items_expected_max() > 1;
  }
  read.description = option.get_description();
  read.group = option.get_group();
  read.default_value = option.get_default_str();
  read.variable = option.get_envname();
  return read;
}

std::string examples_of(const CLI::App& command) {
  const std::string footer = command.get_footer();
  return footer.substr(footer.find('\n') + 1);  // behind "Examples:"
}

}  // namespace

bool OptionDefinition::takes_folder_only() const { return value == "DIR"; }

bool OptionDefinition::takes_file() const {
  constexpr std::array<std::string_view, 5> kPaths = {"FILE", "DIR", "INPUT", "RECIPE", "BASE"};
  return choices.empty() && std::find(kPaths.begin(), kPaths.end(), value) != kPaths.end();
}

std::vector<CommandDefinition> read_definition(const CLI::App& app) {
  std::vector<CommandDefinition> commands;
  for (const CLI::App* sub : app.get_subcommands(/*filter=*/[](const CLI::App*) { return true; })) {
    CommandDefinition command{sub->get_name(), sub->get_description(), examples_of(*sub), {}};
    for (const CLI::Option* option : sub->get_options()) {
      command.options.push_back(read_option(*option));
    }
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace aitqe::app
