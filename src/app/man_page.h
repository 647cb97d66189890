#pragma once

#include <string>
#include <vector>

#include "definition.h"

namespace aitqe::app {

/// aitqe(1) in roff, for `man`, groff and mandoc: every command and option, what exit statuses and
/// variables mean.
std::string man_page(const std::vector<CommandDefinition>& commands, const std::string& version);

}  // namespace aitqe::app
