#include <exception>
#include <memory>
#include <new>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/nn/host_memory.h"
#include "aitqe/pipeline/device_error.h"
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

/// One line on stderr. @return the exit code
int tell(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(aitqe::as_error(thrown));
  } catch (const aitqe::Error& error) {
    aitqe::log_error(error.what());
    return aitqe::exit_code(error.category());
  } catch (const std::bad_alloc&) {
    aitqe::log_error(
        "out of memory; the same command goes on where there is more, or needs less with a smaller "
        "--batch-size, --read-ahead or --workers");
    return aitqe::exit_code(aitqe::ErrorCategory::Resumable);
  } catch (const std::exception& error) {
    aitqe::log_error(std::string("bug: ") + error.what());
    return aitqe::exit_code(aitqe::ErrorCategory::Bug);
  }
}

}  // namespace

int main(int argc, char** argv) {
  aitqe::nn::set_up_host_memory();
  try {
    return run(argc, argv);
  } catch (...) {
    return tell(std::current_exception());
  }
}
