#include "aitqe/nn/host_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

namespace aitqe::nn {

namespace {

constexpr std::size_t kAlignment = 64;  // as libtorch's own

/// Where `malloc` put a block stands in front of what it gave out.
void give_back(void* aligned) {
  if (aligned != nullptr) std::free(static_cast<void**>(aligned)[-1]);
}

class AlignedInsideMalloc final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t num_bytes) override {
    void* const aligned = num_bytes == 0 ? nullptr : take(num_bytes);
    return {aligned, aligned, &give_back, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &give_back; }
  void copy_data(void* to, const void* from, std::size_t num_bytes) const override {
    std::memcpy(to, from, num_bytes);
  }

 private:
  static void* take(std::size_t num_bytes) {
    constexpr std::size_t kMore = kAlignment + sizeof(void*);
    const bool fits = num_bytes <= std::numeric_limits<std::size_t>::max() - kMore;
    auto* const taken = fits ? static_cast<std::byte*>(std::malloc(num_bytes + kMore)) : nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, taken != nullptr, "out of memory: a tensor of ", num_bytes,
                     " bytes");
    void* aligned = taken + sizeof(void*);
    std::size_t room = num_bytes + kAlignment;
    std::align(kAlignment, num_bytes, aligned, room);
    static_cast<void**>(aligned)[-1] = taken;
    return aligned;
  }
};

}  // namespace

void set_up_host_memory() {
  constexpr int kLargestKeptBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kLargestKeptBytes);
  mallopt(M_TRIM_THRESHOLD, kLargestKeptBytes);
  static AlignedInsideMalloc allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/1);
}

}  // namespace aitqe::nn
