#include "man_page.h"

#include <array>
#include <sstream>
#include <string_view>

namespace aitqe::app {

namespace {

/// Of the version's; changes with it.
constexpr std::string_view kDate = "2026-11-27";

struct Meaning {
  std::string_view name;
  std::string_view text;
};

constexpr std::array<Meaning, 9> kExitStatuses = {{
    {"0", "All done, failures within --max-failed."},
    {"1", "A bug."},
    {"2", "The command line or a configuration file is wrong."},
    {"3", "Finished, but too many pairs failed, or an input shard is damaged."},
    {"4", "No usable input."},
    {"5", "The output cannot be written."},
    {"6", "The model or the device cannot be loaded."},
    {"75",
     "Stopped on request, by a network, memory or GPU that failed, or because nothing moved "
     "(--stall-timeout): the same command goes on."},
    {"130, 143", "Stopped at once by a second signal; the same command goes on."},
}};

constexpr std::array<Meaning, 4> kVariables = {{
    {"AITQE_...",
     "Options: AITQE_BATCH_SIZE is --batch-size. Flags beat them, and they beat --config."},
    {"AITQE_MODEL_PATH", "Folder that holds the default model."},
    {"AWS_...", "Keys, region and server for s3:// inputs, as for the AWS command line."},
    {"NO_COLOR", "No colours on the terminal."},
}};

/// A line of text: nothing in it is taken for a request, a hyphen can be copied.
std::string roff(std::string_view text) {
  std::string all;
  if (text.starts_with('.') || text.starts_with('\'')) all = "\\&";
  for (const char c : text) {
    if (c == '\\') {
      all += "\\e";
    } else if (c == '-') {
      all += "\\-";
    } else {
      all += c;
    }
  }
  return all;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

std::string tagged(const std::string& tag, std::string_view text) {
  return ".TP\n" + tag + "\n" + roff(text) + "\n";
}

std::string synopsis(const CommandDefinition& command) {
  std::string line = bold("aitqe " + command.name) + " [" + italic("options") + "]";
  for (const OptionDefinition& option : command.options) {
    if (!option.is_positional) continue;
    line += " " + italic(option.value) + (option.takes_several ? " ..." : "");
  }
  return line + "\n";
}

std::string option_entry(const OptionDefinition& option) {
  std::string tag = option.is_positional ? italic(option.value) : bold(option.name);
  if (!option.short_name.empty()) tag = bold(option.short_name) + ", " + tag;
  if (!option.is_positional && !option.is_flag()) tag += " " + italic(option.value);
  std::string text = option.description;
  if (!option.choices.empty()) {
    text += " (one of:";
    for (const std::string& choice : option.choices) text += " " + choice;
    text += ")";
  }
  if (!option.default_value.empty()) text += " [default: " + option.default_value + "]";
  return tagged(tag, text);
}

std::string examples(const std::string& lines) {
  std::string text = ".PP\n.nf\n";
  std::istringstream all(lines);
  for (std::string line; std::getline(all, line);) {
    if (line.find_first_not_of(' ') != std::string::npos) text += roff(line) + "\n";
  }
  return text + ".fi\n";
}

std::string section(const CommandDefinition& command) {
  std::string text =
      ".SS " + roff(command.name) + "\n" + roff(command.summary) + ".\n.PP\n" + synopsis(command);
  for (const OptionDefinition& option : command.options) text += option_entry(option);
  return text + examples(command.examples);
}

template <typename Meanings>
std::string meanings(const Meanings& all) {
  std::string text;
  for (const Meaning& one : all) text += tagged(bold(one.name), one.text);
  return text;
}

}  // namespace

std::string man_page(const std::vector<CommandDefinition>& commands, const std::string& version) {
  std::string text =
      ".\\\" Written by `aitqe man`.\n.TH AITQE 1 \"" + std::string(kDate) + "\" \"aitqe " +
      roff(version) +
      "\" \"User Commands\"\n.SH NAME\naitqe \\- judge image\\-text pairs and rewrite "
      "poor captions\n.SH SYNOPSIS\n";
  for (std::size_t i = 0; i < commands.size(); ++i) {
    text += (i == 0 ? "" : ".br\n") + synopsis(commands[i]);
  }
  text +=
      ".SH DESCRIPTION\n"
      "Goes through WebDataset shards of image\\-text pairs, lets a multimodal model judge how "
      "good\n"
      "each caption is, and rewrites the poor ones. Every pair comes out again: a good caption "
      "keeps\n"
      "its bytes, a poor one gets a new text, and nothing else in the shard changes. A shard has "
      "its\n"
      "final name only when it is complete; a run that was stopped goes on by the same command.\n"
      ".SH COMMANDS\n";
  for (const CommandDefinition& command : commands) text += section(command);
  text += ".SH EXIT STATUS\n" + meanings(kExitStatuses);
  text += ".SH ENVIRONMENT\n" + meanings(kVariables);
  return text;
}

}  // namespace aitqe::app
