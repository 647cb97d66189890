#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

extern const CpuKernels k_avx2_kernels;
extern const CpuKernels k_avx512_kernels;
extern const CpuKernels k_avx512_bf16_kernels;

bool cpu_is_supported() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

CpuKernelList runnable_cpu_kernels() {
  CpuKernelList list{};
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) {
    list.tables[list.count++] = &k_avx512_bf16_kernels;
  }
  if (avx512) list.tables[list.count++] = &k_avx512_kernels;
  if (cpu_is_supported()) list.tables[list.count++] = &k_avx2_kernels;
  return list;
}

const CpuKernels& cpu_kernels() {
  static const CpuKernels& best = *runnable_cpu_kernels().tables[0];
  return best;
}

}  // namespace aitqe::kernels
