#pragma once

#include <exception>

namespace aitqe {

/// What libtorch threw, as the program tells it: memory that ran out and a GPU that was lost become
/// Error(Resumable), in one line and with the options that change it. Anything else is given back
/// as it is.
std::exception_ptr as_error(const std::exception_ptr& thrown);

}  // namespace aitqe
