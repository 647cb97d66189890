#pragma once

#include <cstdint>

#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

// Note [Rounding of the fused kernels]
// They round where transformers' eager Qwen2 does, after every operation of its own. In bf16 each
// value is then the one that libtorch's separate operations give, to the bit, but for two things:
// the sum of squares under a norm is added in an order of its own, one that depends on n alone, so
// that a row's bits do not depend on its company; and exp and 1 / sqrt are the device's own, as
// libtorch's are. Either can move a result to the next bf16 now and then. f32 rounds once an
// operation: nothing is contracted to a fused multiply-add.

/// Who works, and in which order: a CUDA device and one of its streams, or the CPU, at once.
struct Queue {
  int device = -1;         ///< CUDA device; -1: the CPU
  void* stream = nullptr;  ///< cudaStream_t
};

/// hidden += update; out = hidden / sqrt(mean(hidden^2) + eps), rounded, times weight, rounded.
/// Source: transformers' Qwen2RMSNorm and the residual before it.
struct AddRmsNorm {
  ScalarType type = ScalarType::BF16;  ///< of hidden, update and out: BF16 or F32
  std::int64_t rows = 0;
  std::int64_t n = 0;             ///< at most kLongestNorm
  void* hidden = nullptr;         ///< [rows, n], changed
  const void* update = nullptr;   ///< [rows, n] or null: nothing is added
  const float* weight = nullptr;  ///< [n], rounded to `type` before use
  float eps = 0;
  void* out = nullptr;  ///< [rows, n], not overlapping
};
/// A row lies in shared memory as f32, beside eight sums: 48 KiB together.
inline constexpr std::int64_t kLongestNorm = 12280;

/// Turns queries by their positions in place; turns keys and copies values into the pool.
/// Source: transformers' apply_rotary_pos_emb, rotate_half.
struct TurnAndStore {
  ScalarType type = ScalarType::BF16;  ///< of qkv, keys and values
  std::int64_t rows = 0;
  int num_heads = 0;
  int num_kv_heads = 0;
  int head_dim = 0;            ///< even
  void* qkv = nullptr;         ///< [rows, (num_heads + 2 num_kv_heads) * head_dim]
  const float* cos = nullptr;  ///< [positions, head_dim / 2], rounded to `type`
  const float* sin = nullptr;
  const std::int32_t* positions = nullptr;  ///< [rows]: rows of the two tables
  const std::int32_t* places = nullptr;     ///< [rows]: rows of the pool, each but once
  void* keys = nullptr;                     ///< [pool rows, num_kv_heads, head_dim]
  void* values = nullptr;
};

/// out = silu(gate), rounded, times up, rounded. Source: transformers' Qwen2MLP.
struct SiluMul {
  ScalarType type = ScalarType::BF16;
  std::int64_t rows = 0;
  std::int64_t n = 0;
  const void* gate_up =
      nullptr;          ///< [rows, 2 n]: gate in the first half of a row, up in the second
  void* out = nullptr;  ///< [rows, n]
};

/// What stands between a decoder layer's products. All pointers lie in the memory of the queue's
/// device, matrices are contiguous, nothing is owned. Reentrant.
/// @throws Error(Resumable) when the device does not take the work.
struct FusedKernels {
  void (*add_rms_norm)(const AddRmsNorm& work, Queue queue);
  void (*turn_and_store)(const TurnAndStore& work, Queue queue);
  void (*silu_mul)(const SiluMul& work, Queue queue);
};

/// For the CPU, one thread, plain loops over the same arithmetic: what tests compare with. The
/// program's own CPU kernels are those of cpu_dispatch.h.
const FusedKernels& fused_kernels_on_cpu();

/// For NVIDIA GPUs of compute capability 8.0 and above; null where the build had no nvcc.
const FusedKernels* fused_kernels_on_cuda();

}  // namespace aitqe::kernels
