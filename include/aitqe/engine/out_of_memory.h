#pragma once

#include <exception>

namespace aitqe {

/// Whether this was thrown because memory ran out, of the device or of the machine: by libtorch's
/// allocators, or by `new`.
bool is_out_of_memory(const std::exception_ptr& thrown);

}  // namespace aitqe
