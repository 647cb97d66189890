#include "config_file.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "aitqe/base/error.h"
#include "nearest.h"

namespace aitqe::app {

namespace {

/// A TOML value as it would be typed on the command line.
std::vector<std::string> as_arguments(const toml::node& node, const std::string& where) {
  if (const auto* list = node.as_array()) {
    std::vector<std::string> all;
    for (const toml::node& element : *list) {
      for (std::string& text : as_arguments(element, where)) all.push_back(std::move(text));
    }
    return all;
  }
  if (const auto text = node.value<std::string>()) return {*text};
  if (node.is_boolean() || node.is_integer() || node.is_floating_point()) {
    std::ostringstream text;
    node.visit([&](const auto& value) {
      if constexpr (toml::is_value<decltype(value)>) text << std::boolalpha << value.get();
    });
    return {text.str()};
  }
  throw Error(ErrorCategory::Usage,
              where + ": expected a text, a number, true, false or a list of them");
}

void apply_table(const toml::table& table, const std::string& path, CLI::App& command,
                 const std::vector<std::string>& command_names) {
  for (const auto& [key, node] : table) {
    std::string name(key.str());
    const std::string where = path + ": " + name;
    if (const auto* section = node.as_table()) {
      if (name == command.get_name()) {
        apply_table(*section, path + " [" + name + "]", command, {});
      } else if (std::find(command_names.begin(), command_names.end(), name) ==
                 command_names.end()) {
        throw Error(ErrorCategory::Usage, where + ": no such command");
      }
      continue;
    }
    std::replace(name.begin(), name.end(), '_', '-');
    CLI::Option* option = command.get_option_no_throw(name == "input" ? name : "--" + name);
    if (option == nullptr || name == "config" || name == "help") {
      std::vector<std::string> known;
      for (const CLI::Option* one : command.get_options()) {
        for (const std::string& long_name : one->get_lnames()) known.push_back(long_name);
      }
      const std::string near = nearest(name, known);
      throw Error(ErrorCategory::Usage,
                  where + ": unknown key" + (near.empty() ? "" : "; did you mean " + near + "?"));
    }
    if (option->count() > 0) continue;  // a flag or a variable beats the file
    try {
      option->add_result(as_arguments(node, where));
      option->run_callback();
    } catch (const CLI::Error& error) {
      throw Error(ErrorCategory::Usage, where + ": " + error.what());
    }
  }
}

template <typename Parse>
toml::table parsed(const Parse& parse, const std::string& path) {
  try {
    return parse();
  } catch (const toml::parse_error& error) {
    std::ostringstream message;
    message << path << ": line " << error.source().begin.line << ": " << error.description()
            << " (--config)";
    throw Error(ErrorCategory::Usage, message.str());
  }
}

}  // namespace

void apply_config_file(const std::string& path, CLI::App& command,
                       const std::vector<std::string>& command_names) {
  const auto parse = [&path] { return toml::parse_file(path); };
  apply_table(parsed(parse, path), path, command, command_names);
}

void apply_config_text(std::string_view text, const std::string& path, CLI::App& command,
                       const std::vector<std::string>& command_names) {
  const auto parse = [&] { return toml::parse(text, path); };
  apply_table(parsed(parse, path), path, command, command_names);
}

}  // namespace aitqe::app
