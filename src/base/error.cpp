#include "aitqe/base/error.h"

namespace aitqe {

std::string SampleError::code() const {
  const std::string message = what();
  return message.substr(0, message.find(':'));
}

int exit_code(ErrorCategory category) {
  switch (category) {
    case ErrorCategory::Bug:
      return 1;
    case ErrorCategory::Usage:
      return 2;
    case ErrorCategory::Damaged:
      return 3;
    case ErrorCategory::NoInput:
      return 4;
    case ErrorCategory::Output:
      return 5;
    case ErrorCategory::Model:
      return 6;
    case ErrorCategory::Resumable:
      return 75;
  }
  return 1;
}

}  // namespace aitqe
