#include "aitqe/engine/out_of_memory.h"

#include <c10/util/Exception.h>

#include <new>
#include <string_view>

namespace aitqe {

bool is_out_of_memory(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const c10::Error& error) {
    // Of the allocators only CUDA's has a class of its own for this.
    const std::string_view message = error.what_without_backtrace();
    return message.find("out of memory") != std::string_view::npos ||
           message.find("can't allocate memory") != std::string_view::npos ||
           message.find("_STATUS_ALLOC_FAILED") != std::string_view::npos;
  } catch (...) {
    return false;
  }
}

}  // namespace aitqe
