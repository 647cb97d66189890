#include <algorithm>
#include <cmath>

#include "aitqe/kernels/fp8.h"
#include "fp8_arithmetic.h"

namespace aitqe::kernels {

ToFp8Kernel to_fp8_on_cpu() {
  return [](const ToFp8& work, Queue) {
    for (std::int64_t r = 0; r < work.rows; ++r) {
      const auto* x = static_cast<const fused::Bf16*>(work.x) + r * work.n;
      float largest = 0;
      for (std::int64_t i = 0; i < work.n; ++i) {
        largest = std::max(largest, std::abs(fused::widen(x[i])));
      }
      work.scales[r] = fused::scale_of_row(largest);
      for (std::int64_t i = 0; i < work.n; ++i) {
        work.values[r * work.n + i] = fused::narrow_to_fp8(fused::widen(x[i]) / work.scales[r]);
      }
    }
  };
}

}  // namespace aitqe::kernels
