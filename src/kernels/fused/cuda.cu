#include <algorithm>
#include <string>

#include "aitqe/kernels/fused.h"
#include "arithmetic.h"
#include "launch.h"

namespace aitqe::kernels {

namespace {

using fused::Bf16;
using fused::check;
using fused::kRun;
using fused::load;
using fused::Run;
using fused::store;

__device__ float add_lanes(float value, int lanes) {
  for (int apart = lanes / 2; apart > 0; apart /= 2) {
    value += __shfl_xor_sync(0xffffffff, value, apart);
  }
  return value;
}

/// The sum over the block's threads, for all of them. @param of_warp  [kNormWarps] shared
__device__ float add_threads(float value, float* of_warp) {
  const int warp = static_cast<int>(threadIdx.x) / fused::kLanesOfWarp;
  const int lane = static_cast<int>(threadIdx.x) % fused::kLanesOfWarp;
  value = add_lanes(value, fused::kLanesOfWarp);
  if (lane == 0) of_warp[warp] = value;
  __syncthreads();
  return add_lanes(of_warp[lane % fused::kNormWarps], fused::kNormWarps);
}

/// One block a row; the row waits as f32 in shared memory while its squares are added.
template <typename T>
__global__ void add_rms_norm(AddRmsNorm work, bool whole) {
  extern __shared__ float row[];
  __shared__ float of_warp[fused::kNormWarps];
  const std::int64_t first = blockIdx.x * work.n;
  T* hidden = static_cast<T*>(work.hidden) + first;
  const T* update = work.update == nullptr ? nullptr : static_cast<const T*>(work.update) + first;
  T* out = static_cast<T*>(work.out) + first;
  const std::int64_t step = std::int64_t{fused::kNormThreads} * kRun;
  float squares = 0;
  for (std::int64_t at = threadIdx.x * kRun; at < work.n; at += step) {
    const std::int64_t count = min(std::int64_t{kRun}, work.n - at);
    Run<T> x = load(hidden + at, count, whole);
    if (update != nullptr) {
      const Run<T> more = load(update + at, count, whole);
      for (int i = 0; i < kRun; ++i) x.values[i] = fused::add(x.values[i], more.values[i]);
      store(x, hidden + at, count, whole);
    }
    for (int i = 0; i < count; ++i) {
      const float value = fused::widen(x.values[i]);
      row[at + i] = value;
      squares += value * value;
    }
  }
  const float mean = add_threads(squares, of_warp) / static_cast<float>(work.n);
  const float scale = rsqrtf(mean + work.eps);
  for (std::int64_t at = threadIdx.x * kRun; at < work.n; at += step) {
    const std::int64_t count = min(std::int64_t{kRun}, work.n - at);
    Run<T> y{};
    for (int i = 0; i < count; ++i) {
      y.values[i] = fused::scale_norm<T>(row[at + i], scale, work.weight[at + i]);
    }
    store(y, out + at, count, whole);
  }
}

/// Turns kRun (or `count`) pairs of one head that begin at dimension `at`.
template <typename T>
__device__ void turn(const T* head, const float* cos, const float* sin, int half, int at, T* to,
                     bool whole) {
  const int count = min(kRun, half - at);
  const Run<T> x1 = load(head + at, count, whole);
  const Run<T> x2 = load(head + half + at, count, whole);
  Run<T> y1{};
  Run<T> y2{};
  for (int i = 0; i < count; ++i) {
    y1.values[i] = fused::turn_first(x1.values[i], x2.values[i], cos[at + i], sin[at + i]);
    y2.values[i] = fused::turn_second(x1.values[i], x2.values[i], cos[at + i], sin[at + i]);
  }
  store(y1, to + at, count, whole);
  store(y2, to + half + at, count, whole);
}

/// One block a row; a thread takes runs of pairs of a query or key head, or runs of values.
template <typename T>
__global__ void turn_and_store(TurnAndStore work, bool whole) {
  const int half = work.head_dim / 2;
  const std::int64_t kv_width = std::int64_t{work.num_kv_heads} * work.head_dim;
  const std::int64_t query_width = std::int64_t{work.num_heads} * work.head_dim;
  T* row = static_cast<T*>(work.qkv) + blockIdx.x * (query_width + 2 * kv_width);
  const float* cos = work.cos + std::int64_t{work.positions[blockIdx.x]} * half;
  const float* sin = work.sin + std::int64_t{work.positions[blockIdx.x]} * half;
  T* keys = static_cast<T*>(work.keys) + work.places[blockIdx.x] * kv_width;
  T* values = static_cast<T*>(work.values) + work.places[blockIdx.x] * kv_width;
  const int runs_of_head = (half + kRun - 1) / kRun;
  const int num_turned = (work.num_heads + work.num_kv_heads) * runs_of_head;
  const int num_copied = static_cast<int>((kv_width + kRun - 1) / kRun);
  for (int item = static_cast<int>(threadIdx.x); item < num_turned + num_copied;
       item += static_cast<int>(blockDim.x)) {
    if (item >= num_turned) {
      const std::int64_t at = std::int64_t{item - num_turned} * kRun;
      const std::int64_t count = min(std::int64_t{kRun}, kv_width - at);
      store(load(row + query_width + kv_width + at, count, whole), values + at, count, whole);
      continue;
    }
    const int head = item / runs_of_head;
    const int at = item % runs_of_head * kRun;
    T* from = row + std::int64_t{head} * work.head_dim;
    T* to =
        head < work.num_heads ? from : keys + std::int64_t{head - work.num_heads} * work.head_dim;
    turn(from, cos, sin, half, at, to, whole);
  }
}

template <typename T>
__global__ void silu_mul(SiluMul work, bool whole) {
  const std::int64_t runs_of_row = (work.n + kRun - 1) / kRun;
  const std::int64_t num_runs = work.rows * runs_of_row;
  const std::int64_t step = std::int64_t{gridDim.x} * blockDim.x;
  for (std::int64_t run = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; run < num_runs;
       run += step) {
    const std::int64_t row = run / runs_of_row;
    const std::int64_t at = run % runs_of_row * kRun;
    const std::int64_t count = min(std::int64_t{kRun}, work.n - at);
    const T* gates = static_cast<const T*>(work.gate_up) + row * 2 * work.n + at;
    const Run<T> gate = load(gates, count, whole);
    const Run<T> up = load(gates + work.n, count, whole);
    Run<T> y{};
    for (int i = 0; i < count; ++i) {
      const float exp_of_minus_gate = expf(-fused::widen(gate.values[i]));
      y.values[i] = fused::silu_mul(gate.values[i], up.values[i], exp_of_minus_gate);
    }
    store(y, static_cast<T*>(work.out) + row * work.n + at, count, whole);
  }
}

/// Launches one of a kernel's two instances, for bf16 or f32.
template <typename Work>
struct Launch {
  void (*bf16)(Work, bool);
  void (*f32)(Work, bool);
  const char* name;
  std::int64_t num_blocks;
  int threads;
  std::size_t shared_bytes;

  void operator()(const Work& work, bool whole, Queue queue) const {
    if (num_blocks == 0) return;
    check(cudaSetDevice(queue.device), name);  // the runtime's own notion; cheap when unchanged
    const auto kernel = work.type == ScalarType::F32 ? f32 : bf16;
    kernel<<<static_cast<unsigned>(num_blocks), threads, shared_bytes,
             static_cast<cudaStream_t>(queue.stream)>>>(work, whole);
    check(cudaGetLastError(), name);
  }
};

constexpr int kThreads = 256;
/// Blocks beyond these wait for the first: enough for every multiprocessor of any card.
constexpr std::int64_t kMostBlocks = 8192;

void launch_add_rms_norm(const AddRmsNorm& work, Queue queue) {
  if (work.n > kLongestNorm) {
    throw Error(ErrorCategory::Bug, "add_rms_norm: rows of " + std::to_string(work.n) +
                                        " values, at most " + std::to_string(kLongestNorm));
  }
  const Launch<AddRmsNorm> launch{
      add_rms_norm<Bf16>, add_rms_norm<float>, "add_rms_norm",
      work.rows,          fused::kNormThreads, static_cast<std::size_t>(work.n) * sizeof(float)};
  launch(work, work.n % kRun == 0, queue);
}

void launch_turn_and_store(const TurnAndStore& work, Queue queue) {
  const Launch<TurnAndStore> launch{
      turn_and_store<Bf16>, turn_and_store<float>, "turn_and_store", work.rows, kThreads, 0};
  launch(work, work.head_dim % (2 * kRun) == 0, queue);
}

void launch_silu_mul(const SiluMul& work, Queue queue) {
  const std::int64_t num_runs = work.rows * ((work.n + kRun - 1) / kRun);
  const std::int64_t num_blocks = std::min((num_runs + kThreads - 1) / kThreads, kMostBlocks);
  const Launch<SiluMul> launch{silu_mul<Bf16>, silu_mul<float>, "silu_mul",
                               num_blocks,     kThreads,        0};
  launch(work, work.n % kRun == 0, queue);
}

}  // namespace

const FusedKernels* fused_kernels_on_cuda() {
  static constexpr FusedKernels kKernels{launch_add_rms_norm, launch_turn_and_store,
                                         launch_silu_mul};
  return &kKernels;
}

}  // namespace aitqe::kernels
