#include <malloc.h>

#include <exception>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "app/command.h"
#include "app/command_line.h"

namespace {

/// Parses the command line and runs one subcommand. @return the exit code.
int run(int argc, char** argv) {
  namespace app = aitqe::app;
  const auto commands = app::make_commands();
  app::CommandLine line(commands);
  app::Command* chosen = line.parse(argc, argv);
  return chosen == nullptr ? line.exit_code() : chosen->run();
}

/// Activations come and go by the megabyte: without this glibc maps each anew, and the kernel
/// clears its pages (10 to 16 % of the time of a run).
void keep_freed_memory() {
  constexpr int kLargestKeptBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kLargestKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kLargestKeptBytes);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  try {
    return run(argc, argv);
  } catch (const aitqe::Error& error) {
    aitqe::log_error(error.what());
    return aitqe::exit_code(error.category());
  } catch (const std::exception& error) {
    aitqe::log_error(std::string("bug: ") + error.what());
    return aitqe::exit_code(aitqe::ErrorCategory::Bug);
  }
}
