#pragma once

#include <string>
#include <vector>

#include "definition.h"

namespace aitqe::app {

// Scripts that let a shell complete commands, options and the values of options that have a list of
// them; other values are completed as files where they are paths.

std::string bash_completion(const std::vector<CommandDefinition>& commands);
std::string zsh_completion(const std::vector<CommandDefinition>& commands);
std::string fish_completion(const std::vector<CommandDefinition>& commands);

}  // namespace aitqe::app
