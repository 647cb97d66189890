#include "aitqe/engine/out_of_memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace aitqe {
namespace {

template <typename Action>
std::exception_ptr thrown_by(Action action) {
  try {
    action();
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

TEST(IsOutOfMemory, OfARequestThatNoMachineCanMeet) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer ends the program there";
#endif
  constexpr std::int64_t kTooMany = std::int64_t{1} << 55;
  EXPECT_TRUE(is_out_of_memory(thrown_by([] { at::empty({kTooMany}, at::kByte); })));
  EXPECT_TRUE(is_out_of_memory(thrown_by([] { throw std::bad_alloc(); })));
}

TEST(IsOutOfMemory, OfCudasAllocator) {
  EXPECT_TRUE(is_out_of_memory(thrown_by([] {
    TORCH_CHECK_WITH(OutOfMemoryError, false, "CUDA out of memory. Tried to allocate 2.00 GiB.");
  })));
}

TEST(IsOutOfMemory, NotOfAnythingElse) {
  EXPECT_FALSE(is_out_of_memory(thrown_by([] { at::zeros({2}).view({3}); })));
  EXPECT_FALSE(is_out_of_memory(thrown_by([] { throw std::runtime_error("out of memory"); })));
}

}  // namespace
}  // namespace aitqe
