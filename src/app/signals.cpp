#include "signals.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

namespace aitqe::app {

namespace {

// A handler can reach nothing but globals; set once before any signal can come.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<std::atomic<bool>*> requested = nullptr;

extern "C" void handle_stop(int signal) {
  if (requested.load()->exchange(true)) _exit(signal == SIGINT ? 130 : 143);
}

}  // namespace

void stop_on_signals(std::atomic<bool>& stop_requested) {
  requested = &stop_requested;
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of the write, exit code 5
  struct sigaction action {};
  action.sa_handler = handle_stop;
  action.sa_flags = SA_RESTART;  // a write that a signal cuts short goes on
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaction(signal, &action, nullptr);
}

}  // namespace aitqe::app
