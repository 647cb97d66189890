#pragma once

#include <atomic>

namespace aitqe::app {

/// TERM, INT and USR1 set `stop_requested`, which must outlive them (exit 75); a second one ends
/// the process at once (130 after INT, 143 otherwise). Call once, before threads start.
void stop_on_signals(std::atomic<bool>& stop_requested);

}  // namespace aitqe::app
