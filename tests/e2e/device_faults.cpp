// Preloaded into the program by tests: from one allocation of libtorch on, each that is as large
// ends as a CUDA call does whose device is gone, or never. Of CUDA's errors such a one is for ever:
// every later call in the process fails too.
//
//   FAULT_BYTES  requests for so many bytes and more are counted, from 1
//   FAULT_AT     the first that fails (0: none)
//   FAULT_DO     hang: it never comes back
//   FAULT_LOG    their number, at the end
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::int32_t kLaunchFailure = 719;  // cudaErrorLaunchFailure

struct Counter {
  std::atomic<long> requests{0};
  const long least_bytes = number("FAULT_BYTES");
  const long first = number("FAULT_AT");

  ~Counter() {
    const char* log = std::getenv("FAULT_LOG");
    std::FILE* file = log != nullptr ? std::fopen(log, "w") : nullptr;
    if (file == nullptr) return;
    std::fprintf(file, "%ld\n", requests.load());
    std::fclose(file);
  }

  static long number(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::atol(text) : 0;
  }
};

}  // namespace

namespace c10 {

namespace {

/// The program's allocator, with faults.
class FaultyAllocator final : public Allocator {
 public:
  explicit FaultyAllocator(Allocator* real) : real_(real) {}
  DataPtr allocate(std::size_t size) override {
    if (size >= static_cast<std::size_t>(counter_.least_bytes)) count();
    return real_->allocate(size);
  }
  DeleterFnPtr raw_deleter() const override { return real_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t size) const override {
    std::memcpy(to, from, size);
  }

 private:
  void count() {
    const long request = ++counter_.requests;
    if (counter_.first == 0 || request < counter_.first) return;
    const char* what = std::getenv("FAULT_DO");
    while (what != nullptr && std::strcmp(what, "hang") == 0) pause();
    throw AcceleratorError({__func__, __FILE__, __LINE__}, kLaunchFailure,
                           "CUDA error: unspecified launch failure\nCUDA kernel errors might be "
                           "asynchronously reported");
  }

  Allocator* real_;
  Counter counter_;
};

}  // namespace

// c10/core/CPUAllocator.h: what the program calls at its start.
void SetCPUAllocator(Allocator* allocator, std::uint8_t priority) {
  static FaultyAllocator faulty(allocator);
  static const auto real = reinterpret_cast<void (*)(Allocator*, std::uint8_t)>(
      dlsym(RTLD_NEXT, "_ZN3c1015SetCPUAllocatorEPNS_9AllocatorEh"));
  real(&faulty, priority);
}

}  // namespace c10
