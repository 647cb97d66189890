#include "aitqe/kernels/cpu_dispatch.h"

#include <cpuid.h>

namespace aitqe::kernels {

extern const CpuKernels kAvx2Kernels;
extern const CpuKernels kAvx512Kernels;
extern const CpuKernels kAvx512Bf16Kernels;

namespace {

// Two names that clang 14's __builtin_cpu_supports does not know; bits by the Intel SDM.

bool cpu_has_f16c() {
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  constexpr unsigned int kF16cBit = 29;  // leaf 1, ECX
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && ((ecx >> kF16cBit) & 1U) != 0;
}

bool cpu_has_avx512_bf16() {
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  constexpr unsigned int kBf16Bit = 5;  // leaf 7, subleaf 1, EAX
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && ((eax >> kBf16Bit) & 1U) != 0;
}

}  // namespace

bool cpu_is_supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && cpu_has_f16c();
}

CpuKernelList runnable_cpu_kernels() {
  CpuKernelList list{};
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && cpu_has_avx512_bf16() && __builtin_cpu_supports("avx512vnni")) {
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
