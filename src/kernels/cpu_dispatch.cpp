#include "aitqe/kernels/cpu_dispatch.h"

#include <cpuid.h>

namespace aitqe::kernels {

extern const CpuKernels kAvx2Kernels;
extern const CpuKernels kAvx512Kernels;
extern const CpuKernels kAvx512Bf16Kernels;

namespace {

/// CPUID leaf 7, subleaf 1, EAX bit 5 (Intel SDM); clang 14 has no name for it.
bool cpu_has_avx512_bf16() {
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  constexpr unsigned int kBf16Bit = 5;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && ((eax >> kBf16Bit) & 1U) != 0;
}

}  // namespace

bool cpu_is_supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

CpuKernelList runnable_cpu_kernels() {
  CpuKernelList list{};
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && cpu_has_avx512_bf16()) {
    list.tables[list.count++] = &kAvx512Bf16Kernels;
  }
  if (avx512) list.tables[list.count++] = &kAvx512Kernels;
  if (cpu_is_supported()) list.tables[list.count++] = &kAvx2Kernels;
  return list;
}

const CpuKernels& cpu_kernels() {
  static const CpuKernels& best = *runnable_cpu_kernels().tables[0];
  return best;
}

}  // namespace aitqe::kernels
