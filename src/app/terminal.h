#pragma once

#include "aitqe/report/report.h"

namespace aitqe::app {

/// What stdout can show: colours on a terminal unless NO_COLOR is set, blocks unless it is dumb.
TerminalStyle terminal_style();

}  // namespace aitqe::app
