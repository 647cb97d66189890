#pragma once

#include <string>

#include "aitqe/base/error.h"

namespace aitqe::test {

/// The message of the Error that `run` throws, or "nothing was thrown".
template <typename Run>
std::string message_of(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace aitqe::test
