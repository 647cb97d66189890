#include "typed_command.h"

#include <algorithm>
#include <string_view>

#include "aitqe/io/url.h"

namespace aitqe::app {

namespace {

std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=%@,+";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string typed_command(const CLI::App& subcommand) {
  std::string inputs;
  std::string options;
  for (const CLI::Option* option : subcommand.get_options()) {
    if (option->count() == 0) continue;
    const bool is_flag = option->get_expected_max() == 0;
    if (is_flag) options += " --" + option->get_lnames().front();
    for (const std::string& value : option->results()) {
      if (is_flag) break;
      const std::string word = quoted(without_secrets(value));
      if (option->get_positional()) {
        inputs += " " + word;
      } else {
        options += " --" + option->get_lnames().front() + " " + word;
      }
    }
  }
  return "aitqe " + subcommand.get_name() + inputs + options;
}

}  // namespace aitqe::app
