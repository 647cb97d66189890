#include "completion.h"

#include <string_view>

namespace aitqe::app {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string command_names(const std::vector<CommandDefinition>& commands) {
  std::vector<std::string> names;
  for (const CommandDefinition& command : commands) names.push_back(command.name);
  return joined(names, " ");
}

/// In single quotes, for any of the shells.
std::string in_quotes(std::string_view text) {
  std::string all = "'";
  for (const char c : text) all += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return all + "'";
}

/// Each of `special` with a backslash before it.
std::string escaped(std::string_view text, std::string_view special) {
  std::string all;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) all += '\\';
    all += c;
  }
  return all;
}

// --- bash ----------------------------------------------------------------------------------------

constexpr std::string_view kBashHead =
    R"sh(# bash completion for aitqe; written by `aitqe completion bash`.
_aitqe() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} at=1
  COMPREPLY=()
  if [[ $current == '=' ]]; then
    current=
  elif [[ $before == '=' ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ ${COMP_WORDS[1]} == config && ${COMP_WORDS[2]} == show ]] && ((COMP_CWORD > 2)); then at=3; fi
)sh";

std::string bash_options(const CommandDefinition& command) {
  std::vector<std::string> names;
  for (const OptionDefinition& option : command.options) {
    if (option.is_positional) continue;
    names.push_back(option.name);
    if (!option.short_name.empty()) names.push_back(option.short_name);
  }
  return joined(names, " ");
}

/// What follows an option that takes a value.
std::string bash_value(const CommandDefinition& command, const OptionDefinition& option) {
  std::string names = in_quotes(command.name + " " + option.name);
  if (!option.short_name.empty()) names += "|" + in_quotes(command.name + " " + option.short_name);
  std::string act = "compopt +o default 2>/dev/null";  // nothing to offer, and no files either
  if (option.takes_folder_only()) {
    act = "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")";
  } else if (option.takes_file()) {
    act = ":";  // readline completes files
  } else if (!option.choices.empty()) {
    act = "mapfile -t COMPREPLY < <(compgen -W " + in_quotes(joined(option.choices, " ")) +
          " -- \"$current\")";
  }
  return "    " + names + ") " + act + "; return ;;\n";
}

std::string bash_positional(const CommandDefinition& command) {
  for (const OptionDefinition& option : command.options) {
    if (!option.is_positional || option.choices.empty()) continue;
    return "    " + command.name + ") mapfile -t COMPREPLY < <(compgen -W " +
           in_quotes(joined(option.choices, " ")) + " -- \"$current\") ;;\n";
  }
  return "";
}

// --- zsh -----------------------------------------------------------------------------------------

std::string zsh_action(const OptionDefinition& option) {
  if (!option.choices.empty()) return "(" + joined(option.choices, " ") + ")";
  if (option.takes_folder_only()) return "_files -/";
  return option.takes_file() ? "_files" : " ";
}

std::string zsh_option(const OptionDefinition& option) {
  const std::string action = ":" + escaped(option.value, ":[]") + ":" + zsh_action(option);
  if (option.is_positional) return in_quotes((option.takes_several ? "*" : "") + action);
  const std::string told = "[" + escaped(option.description, ":[]\\") + "]";
  const std::string value = option.is_flag() ? "" : action;
  if (option.short_name.empty()) {
    return in_quotes(option.name + (option.is_flag() ? "" : "=") + told + value);
  }
  return in_quotes("(" + option.short_name + " " + option.name + ")") + "{" + option.short_name +
         "," + option.name + (option.is_flag() ? "" : "=") + "}" + in_quotes(told + value);
}

// --- fish ----------------------------------------------------------------------------------------

std::string fish_option(const CommandDefinition& command, const OptionDefinition& option) {
  std::string line =
      "complete -c aitqe -n " + in_quotes("__fish_seen_subcommand_from " + command.name);
  if (option.is_positional) {
    if (!option.choices.empty())
      return line + " -a " + in_quotes(joined(option.choices, " ")) + "\n";
    return option.takes_file() ? line + " -F\n" : "";
  }
  line += " -l " + option.name.substr(2);
  if (!option.short_name.empty()) line += " -s " + option.short_name.substr(1);
  if (!option.choices.empty()) {
    line += " -x -a " + in_quotes(joined(option.choices, " "));
  } else if (option.takes_folder_only()) {
    line += " -x -a " + in_quotes("(__fish_complete_directories)");
  } else if (option.takes_file()) {
    line += " -r -F";
  } else if (!option.is_flag()) {
    line += " -x";
  }
  return line + " -d " + in_quotes(option.description) + "\n";
}

}  // namespace

std::string bash_completion(const std::vector<CommandDefinition>& commands) {
  std::string script(kBashHead);
  script +=
      "  if ((COMP_CWORD == at)); then\n    local words=" + in_quotes(command_names(commands)) +
      "\n    if [[ $current == -* ]]; then words='--help --version'; fi\n"
      "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n    return\n  fi\n"
      "  local command=${COMP_WORDS[at]}\n  case \"$command $before\" in\n";
  for (const CommandDefinition& command : commands) {
    for (const OptionDefinition& option : command.options) {
      if (!option.is_positional && !option.is_flag()) script += bash_value(command, option);
    }
  }
  script += "  esac\n  if [[ $current == -* ]]; then\n    local options=\n    case $command in\n";
  for (const CommandDefinition& command : commands) {
    script += "      " + command.name + ") options=" + in_quotes(bash_options(command)) + " ;;\n";
  }
  script +=
      "    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n    "
      "return\n"
      "  fi\n  case $command in\n";
  for (const CommandDefinition& command : commands) script += bash_positional(command);
  return script + "  esac\n}\ncomplete -o default -F _aitqe aitqe\n";
}

std::string zsh_completion(const std::vector<CommandDefinition>& commands) {
  std::string script =
      "#compdef aitqe\n# zsh completion for aitqe; written by `aitqe completion zsh`.\n"
      "_aitqe() {\n  local -a commands=(\n";
  for (const CommandDefinition& command : commands) {
    script += "    " + in_quotes(command.name + ":" + escaped(command.summary, ":\\")) + "\n";
  }
  script +=
      "  )\n  if [[ $words[2] == config && $words[3] == show ]] && ((CURRENT > 3)); then\n"
      "    shift 2 words\n    ((CURRENT -= 2))\n  fi\n"
      "  if ((CURRENT == 2)); then\n    if [[ $words[2] == -* ]]; then\n"
      "      _arguments '(- *)'{-h,--help}'[Print help]' '(- *)--version[Print the version]'\n"
      "    else\n      _describe -t commands command commands\n    fi\n    return\n  fi\n"
      "  shift words\n  ((CURRENT -= 1))\n  case $words[1] in\n";
  for (const CommandDefinition& command : commands) {
    script += "    " + command.name + ")\n      _arguments -S";
    for (const OptionDefinition& option : command.options) {
      script += " \\\n        " + zsh_option(option);
    }
    script += "\n      ;;\n";
  }
  return script +
         "  esac\n}\n# In a folder of $fpath this file is the function; else it is sourced.\n"
         "if [[ $funcstack[1] == _aitqe ]]; then _aitqe \"$@\"; else compdef _aitqe aitqe; fi\n";
}

std::string fish_completion(const std::vector<CommandDefinition>& commands) {
  std::string script =
      "# fish completion for aitqe; written by `aitqe completion fish`.\ncomplete -c aitqe -f\n"
      "complete -c aitqe -n __fish_use_subcommand -l help -s h -d 'Print help'\n"
      "complete -c aitqe -n __fish_use_subcommand -l version -d 'Print the version'\n";
  for (const CommandDefinition& command : commands) {
    script += "complete -c aitqe -n __fish_use_subcommand -a " + command.name + " -d " +
              in_quotes(command.summary) + "\n";
  }
  script +=
      "complete -c aitqe -n " +
      in_quotes("__fish_seen_subcommand_from show; and test (count (commandline -opc)) -eq 3") +
      " -a " + in_quotes(command_names(commands)) + "\n";
  for (const CommandDefinition& command : commands) {
    for (const OptionDefinition& option : command.options) script += fish_option(command, option);
  }
  return script;
}

}  // namespace aitqe::app
