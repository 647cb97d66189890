#pragma once

#include "aitqe/pipeline/progress.h"

namespace aitqe::app {

/// TERM, INT and USR1 ask the run to stop cleanly (exit 75); a second one ends the process at once
/// (130 after INT, 143 otherwise). Call once, before threads start.
void stop_on_signals(Progress& progress);

}  // namespace aitqe::app
