#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "aitqe/base/error.h"
#include "arithmetic.h"

namespace aitqe::kernels::fused {

/// kRun values that are read and written together.
template <typename T>
struct alignas(sizeof(T) * kRun < 16 ? sizeof(T) * kRun : 16) Run {
  T values[kRun];
};

/// The run that begins at `data`, of which `count` values are there. Whole runs are aligned: every
/// row's length is a multiple of kRun, or all are read one by one.
template <typename T>
__device__ Run<T> load(const T* data, std::int64_t count, bool whole) {
  if (whole) return *reinterpret_cast<const Run<T>*>(data);
  Run<T> run{};
  for (int i = 0; i < count; ++i) run.values[i] = data[i];
  return run;
}

template <typename T>
__device__ void store(const Run<T>& run, T* data, std::int64_t count, bool whole) {
  if (whole) {
    *reinterpret_cast<Run<T>*>(data) = run;
    return;
  }
  for (int i = 0; i < count; ++i) data[i] = run.values[i];
}

inline void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw Error(ErrorCategory::Resumable,
              std::string("CUDA, ") + what + ": " + cudaGetErrorString(error));
}

}  // namespace aitqe::kernels::fused
