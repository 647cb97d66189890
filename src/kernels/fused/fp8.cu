#include "aitqe/kernels/fp8.h"
#include "fp8_arithmetic.h"
#include "launch.h"

namespace aitqe::kernels {

namespace {

using fused::Bf16;
using fused::kRun;
using fused::Run;

/// The largest of the block's threads, for all of them. @param of_warp  [kNormWarps] shared
__device__ float largest_of_threads(float value, float* of_warp) {
  const int lane = static_cast<int>(threadIdx.x) % fused::kLanesOfWarp;
  for (int apart = fused::kLanesOfWarp / 2; apart > 0; apart /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, apart));
  }
  if (lane == 0) of_warp[threadIdx.x / fused::kLanesOfWarp] = value;
  __syncthreads();
  value = of_warp[lane % fused::kNormWarps];
  for (int apart = fused::kNormWarps / 2; apart > 0; apart /= 2) {
    value = fmaxf(value, __shfl_xor_sync(0xffffffff, value, apart));
  }
  return value;
}

/// One block a row, which is read twice: the second time out of the cache.
__global__ void to_fp8(ToFp8 work, bool whole) {
  __shared__ float of_warp[fused::kNormWarps];
  const Bf16* x = static_cast<const Bf16*>(work.x) + blockIdx.x * work.n;
  std::uint8_t* values = work.values + blockIdx.x * work.n;
  const std::int64_t step = std::int64_t{fused::kNormThreads} * kRun;
  float largest = 0;
  for (std::int64_t at = threadIdx.x * kRun; at < work.n; at += step) {
    const std::int64_t count = min(std::int64_t{kRun}, work.n - at);
    const Run<Bf16> run = fused::load(x + at, count, whole);
    for (int i = 0; i < count; ++i) largest = fmaxf(largest, fabsf(fused::widen(run.values[i])));
  }
  const float scale = fused::scale_of_row(largest_of_threads(largest, of_warp));
  if (threadIdx.x == 0) work.scales[blockIdx.x] = scale;
  for (std::int64_t at = threadIdx.x * kRun; at < work.n; at += step) {
    const std::int64_t count = min(std::int64_t{kRun}, work.n - at);
    const Run<Bf16> run = fused::load(x + at, count, whole);
    Run<std::uint8_t> y{};
    for (int i = 0; i < count; ++i) {
      y.values[i] = fused::narrow_to_fp8(fused::widen(run.values[i]) / scale);
    }
    fused::store(y, values + at, count, whole);
  }
}

void launch_to_fp8(const ToFp8& work, Queue queue) {
  if (work.rows == 0) return;
  fused::check(cudaSetDevice(queue.device), "to_fp8");
  to_fp8<<<static_cast<unsigned>(work.rows), fused::kNormThreads, 0,
           static_cast<cudaStream_t>(queue.stream)>>>(work, work.n % kRun == 0);
  fused::check(cudaGetLastError(), "to_fp8");
}

}  // namespace

ToFp8Kernel to_fp8_on_cuda() { return launch_to_fp8; }

}  // namespace aitqe::kernels
