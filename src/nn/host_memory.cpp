#include "aitqe/nn/host_memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

namespace aitqe::nn {

namespace {

constexpr std::size_t kAlignment = 64;  // as libtorch's own

class AlignedInsideMalloc final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t num_bytes) override {
    if (num_bytes == 0) return {nullptr, nullptr, &std::free, at_};
    if (num_bytes > std::numeric_limits<std::size_t>::max() - kAlignment) throw std::bad_alloc();
    std::size_t room = num_bytes + kAlignment;
    void* const taken = std::malloc(room);
    if (taken == nullptr) throw std::bad_alloc();
    void* aligned = taken;
    std::align(kAlignment, num_bytes, aligned, room);
    return {aligned, taken, &std::free, at_};
  }
  void copy_data(void* to, const void* from, std::size_t num_bytes) const override {
    std::memcpy(to, from, num_bytes);
  }

 private:
  c10::Device at_{c10::kCPU};
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
