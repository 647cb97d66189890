#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/io/url.h"
#include "command.h"
#include "command_line.h"
#include "one_of.h"

namespace aitqe::app {

namespace {

/// One option of the command that is looked at, and who has set it.
struct Value {
  std::string option;  ///< as a configuration file names it
  std::vector<std::string> values;
  std::string origin;  ///< "flag", "variable", "file", "default", or "" where nobody has set it
  std::string where;   ///< "--limit", "AITQE_LIMIT", "careful.toml"
  bool is_flag = false;
  bool is_positional = false;
};

/// Parses one command line as `aitqe` would, without running it.
class Reading {
 public:
  Reading(std::vector<std::string> words, Variables variables)
      : words_(std::move(words)), commands_(make_commands()), line_(commands_, variables) {
    words_.insert(words_.begin(), "aitqe");
    std::vector<char*> arguments;
    for (std::string& word : words_) arguments.push_back(word.data());
    is_read_ = line_.parse(static_cast<int>(arguments.size()), arguments.data()) != nullptr;
  }

  bool is_read() const { return is_read_; }
  const CommandLine& line() const { return line_; }

 private:
  std::vector<std::string> words_;
  std::vector<std::unique_ptr<Command>> commands_;
  CommandLine line_;
  bool is_read_ = false;
};

std::string name_of(const CLI::Option& option) {
  return option.get_positional() ? option.get_name(/*positional=*/true)
                                 : option.get_lnames().front();
}

/// @param is_typed  it stands on the command line
Value value_of(const CLI::Option& option, bool is_typed, const CommandLine& line) {
  Value value;
  value.option = name_of(option);
  value.is_positional = option.get_positional();
  value.is_flag = option.get_items_expected_max() == 0;
  for (const std::string& result : option.results()) {
    value.values.push_back(without_secrets(result));
  }
  if (line.set_by_file().contains(&option)) {
    value.origin = "file";
    value.where = line.config_file();
  } else if (is_typed) {
    value.origin = "flag";
    value.where = value.is_positional ? "command line" : "--" + value.option;
  } else if (option.count() > 0) {
    value.origin = "variable";
    value.where = option.get_envname();
  } else if (value.is_flag) {
    value.origin = "default";
    value.values = {"false"};
  } else if (!option.get_default_str().empty()) {
    value.origin = "default";
    value.values = {option.get_default_str()};
  }
  return value;
}

/// A whole number or a boolean as it is, all else as a TOML text.
std::string toml_value(const std::string& text, bool is_flag) {
  if (is_flag) return text;
  const bool has_digits_alone = !text.empty() && text.size() < 18 &&
                                text.find_first_not_of("0123456789") == std::string::npos;
  if (has_digits_alone && (text.front() != '0' || text.size() == 1)) return text;
  // A JSON text is a TOML text, but for DEL.
  return nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/false,
                                   nlohmann::json::error_handler_t::replace);
}

std::string toml_line(const Value& value) {
  constexpr std::size_t kColumn = 40;
  std::string line = value.option + " = ";
  if (value.values.size() == 1 && !value.is_positional) {
    line += toml_value(value.values.front(), value.is_flag);
  } else {
    std::string list;
    for (const std::string& one : value.values) {
      list += (list.empty() ? "" : ", ") + toml_value(one, value.is_flag);
    }
    line += "[" + list + "]";
  }
  if (value.origin.empty()) line = value.option;
  // A default need not be said, and the file that is read cannot name itself.
  const bool is_remark =
      value.origin.empty() || value.origin == "default" || value.option == "config";
  if (is_remark) line = "# " + line;
  if (line.size() < kColumn) line.resize(kColumn, ' ');
  const std::string by = value.origin.empty() ? "not set" : value.where;
  return line + "  # " + (value.origin == "default" ? "default" : by) + "\n";
}

class ConfigCommand : public Command {
 public:
  std::string name() const override { return "config"; }
  std::string summary() const override {
    return "Show what a command line would set, and where each value comes from";
  }
  std::string examples() const override {
    return "  aitqe config show enhance --config configs/careful.toml --limit 100\n"
           "  AITQE_WORKERS=8 aitqe config show --json score\n"
           "  aitqe config show enhance --verify > mine.toml\n";
  }

  void add_options(CLI::App& app) override {
    app_ = &app;
    app.add_option("action", action_, "show: the options of the command line that follows")
        ->type_name("ACTION")
        ->required()
        ->check(one_of({"show"}));
    app.add_flag("--json", json_, "Print JSON; stands before the command");
    app.prefix_command();
  }

  bool takes_config_file() const override { return false; }

  int run() override {
    const std::vector<std::string> words = app_->remaining();
    if (words.empty()) {
      throw Error(ErrorCategory::Usage,
                  "config show: of which command? For example: aitqe config show enhance");
    }
    const Reading reading(words, Variables::Read);
    if (!reading.is_read()) return reading.line().exit_code();
    const Reading typed(words, Variables::Ignored);
    const std::vector<Value> values = read_values(reading.line(), typed.line());
    const std::string text =
        json_ ? to_json(reading.line(), values) : to_toml(reading.line(), values);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
  }

 private:
  static std::vector<Value> read_values(const CommandLine& line, const CommandLine& typed) {
    const auto options = line.chosen().get_options();
    const auto typed_options = typed.chosen().get_options();
    std::vector<Value> values;
    for (std::size_t i = 0; i < options.size(); ++i) {
      if (name_of(*options[i]) == "help") continue;
      const CLI::Option* same = typed_options.at(i);
      const bool is_typed = same->count() > 0 && !typed.set_by_file().contains(same);
      values.push_back(value_of(*options[i], is_typed, line));
    }
    return values;
  }

  static std::string to_toml(const CommandLine& line, const std::vector<Value>& values) {
    std::string text = "[" + line.chosen().get_name() + "]\n";
    for (const Value& value : values) text += toml_line(value);
    return text;
  }

  static std::string to_json(const CommandLine& line, const std::vector<Value>& values) {
    nlohmann::ordered_json json = {{"command", line.chosen().get_name()}};
    json["values"] = nlohmann::ordered_json::array();
    for (const Value& value : values) {
      json["values"].push_back({{"option", value.option},
                                {"values", value.values},
                                {"origin", value.origin.empty() ? "unset" : value.origin},
                                {"where", value.where}});
    }
    return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }

  const CLI::App* app_ = nullptr;
  std::string action_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_config_command() { return std::make_unique<ConfigCommand>(); }

}  // namespace aitqe::app
