#include "config_file.h"

#include <toml++/toml.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <sstream>

#include "aitqe/base/error.h"
#include "aitqe/base/nearest.h"

namespace aitqe::app {

namespace {

namespace fs = std::filesystem;

/// From where the program lies: installed, and in a build folder of the source tree.
std::vector<fs::path> preset_folders() {
  constexpr int kFoldersUp = 4;
  std::error_code ignored;
  fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<fs::path> folders = {(folder / ".." / "share/aitqe/configs").lexically_normal()};
  for (int up = 0; up < kFoldersUp && folder.has_parent_path(); ++up) {
    folder = folder.parent_path();
    // Not any folder of that name: this one is ours.
    if (fs::exists(folder / "configs/paper.toml")) folders.push_back(folder / "configs");
  }
  return folders;
}

/// A TOML value as it would be typed on the command line: one argument or more.
std::vector<std::string> as_arguments(const toml::node& node, const std::string& where) {
  if (const auto* list = node.as_array()) {
    std::vector<std::string> all;
    for (const toml::node& element : *list) {
      for (std::string& text : as_arguments(element, where)) all.push_back(std::move(text));
    }
    if (all.empty()) {
      throw Error(ErrorCategory::Usage, where + ": the list is empty; leave the key out instead");
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

/// By its long name, or that of a positional.
CLI::Option* find_option(CLI::App& command, const std::string& name) {
  CLI::Option* option = command.get_option_no_throw("--" + name);
  if (option != nullptr) return option;
  option = command.get_option_no_throw(name);
  return option != nullptr && option->get_positional() ? option : nullptr;
}

void apply_table(const toml::table& table, const std::string& path, CLI::App& command,
                 const std::vector<std::string>& command_names,
                 std::set<const CLI::Option*>& options_set) {
  for (const auto& [key, node] : table) {
    std::string name(key.str());
    const std::string where = path + ": " + name;
    if (const auto* section = node.as_table()) {
      if (name == command.get_name()) {
        apply_table(*section, path + " [" + name + "]", command, {}, options_set);
      } else if (std::find(command_names.begin(), command_names.end(), name) ==
                 command_names.end()) {
        throw Error(ErrorCategory::Usage, where + ": no such command");
      }
      continue;
    }
    std::replace(name.begin(), name.end(), '_', '-');
    CLI::Option* option = find_option(command, name);
    if (option == nullptr || name == "config" || name == "help") {
      std::vector<std::string> known;
      for (const CLI::Option* one : command.get_options()) {
        for (const std::string& long_name : one->get_lnames()) known.push_back(long_name);
      }
      throw Error(ErrorCategory::Usage, where + ": unknown key" + did_you_mean(name, known));
    }
    if (option->count() > 0) continue;  // a flag or a variable beats the file
    try {
      option->add_result(as_arguments(node, where));
      option->run_callback();
      options_set.insert(option);
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

std::string find_config_file(const std::string& name) {
  const bool may_be_preset = name.find_first_of("/.") == std::string::npos;
  if (!may_be_preset || fs::exists(name)) return name;
  std::vector<std::string> known;
  for (const fs::path& folder : preset_folders()) {
    const fs::path preset = folder / (name + ".toml");
    if (fs::exists(preset)) return preset.string();
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".toml") known.push_back(entry->path().stem().string());
    }
  }
  throw Error(ErrorCategory::Usage,
              "--config " + name + ": no such file, and no preset" + did_you_mean(name, known));
}

std::set<const CLI::Option*> apply_config_file(const std::string& path, CLI::App& command,
                                               const std::vector<std::string>& command_names) {
  std::set<const CLI::Option*> options_set;
  const auto parse = [&path] { return toml::parse_file(path); };
  apply_table(parsed(parse, path), path, command, command_names, options_set);
  return options_set;
}

std::set<const CLI::Option*> apply_config_text(std::string_view text, const std::string& path,
                                               CLI::App& command,
                                               const std::vector<std::string>& command_names) {
  std::set<const CLI::Option*> options_set;
  const auto parse = [&] { return toml::parse(text, path); };
  apply_table(parsed(parse, path), path, command, command_names, options_set);
  return options_set;
}

}  // namespace aitqe::app
