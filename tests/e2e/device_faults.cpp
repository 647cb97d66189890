// Preloaded into the program by tests: from one allocation of libtorch on, each that is as large
// ends as a CUDA call does whose device is gone, or never. Of CUDA's errors such a one is for ever:
// every later call in the process fails too.
//
//   FAULT_BYTES  requests for so many bytes and more are counted, from 1
//   FAULT_AT     the first that fails (0: none)
//   FAULT_DO     hang: it never comes back
//   FAULT_LOG    their number, at the end
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

// c10/core/impl/alloc_cpu.h
C10_API void* alloc_cpu(std::size_t size);
void* alloc_cpu(std::size_t size) {
  static Counter counter;
  static const auto real =
      reinterpret_cast<void* (*)(std::size_t)>(dlsym(RTLD_NEXT, "_ZN3c109alloc_cpuEm"));
  if (size < static_cast<std::size_t>(counter.least_bytes)) return real(size);
  const long request = ++counter.requests;
  if (counter.first > 0 && request >= counter.first) {
    const char* what = std::getenv("FAULT_DO");
    while (what != nullptr && std::strcmp(what, "hang") == 0) pause();
    throw AcceleratorError({__func__, __FILE__, __LINE__}, kLaunchFailure,
                           "CUDA error: unspecified launch failure\nCUDA kernel errors might be "
                           "asynchronously reported");
  }
  return real(size);
}

}  // namespace c10
