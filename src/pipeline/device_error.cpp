#include "aitqe/pipeline/device_error.h"

#include <c10/util/Exception.h>

#include <string>

#include "aitqe/base/error.h"
#include "aitqe/engine/out_of_memory.h"

namespace aitqe {

namespace {

/// libtorch puts where it was thrown behind what is wrong.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// An error of a CUDA call makes every later one fail: only another process can go on.
bool is_lost_device(const std::string& message) {
  return message.find("CUDA error") != std::string::npos ||
         message.find("CUDNN_STATUS") != std::string::npos ||
         message.find("CUBLAS_STATUS") != std::string::npos;
}

std::exception_ptr resumable(const std::string& message) {
  return std::make_exception_ptr(Error(ErrorCategory::Resumable, message));
}

}  // namespace

std::exception_ptr as_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const c10::Error& error) {
    const std::string message = first_line(error.what_without_backtrace());
    if (is_out_of_memory(thrown)) {
      return resumable("the model ran out of memory (" + message +
                       "); the same command goes on where there is more, or needs less with a "
                       "smaller --batch-size, --read-ahead or --workers");
    }
    if (is_lost_device(message)) {
      return resumable("the device was lost (" + message + "); the same command goes on");
    }
    return thrown;
  } catch (...) {
    return thrown;
  }
}

}  // namespace aitqe
