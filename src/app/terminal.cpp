#include "terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace aitqe::app {

namespace {

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

TerminalStyle terminal_style() {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  TerminalStyle style;
  style.color = isatty(STDOUT_FILENO) == 1 && !is_dumb && !is_set("NO_COLOR");
  style.blocks = !is_dumb;
  return style;
}

}  // namespace aitqe::app
