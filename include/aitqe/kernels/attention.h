#pragma once

#include <cstdint>
#include <span>

#include "aitqe/base/thread_pool.h"
#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

struct AttentionShape {
  int num_heads = 1;
  int num_kv_heads = 1;  ///< divides num_heads; head h reads kv head h / (num_heads / num_kv_heads)
  int head_dim = 1;
  float scale = 1.0F;
  bool causal = true;
};

/// Rows of one sequence, and the keys and values they look at. Pointers are not owned.
struct AttentionSpan {
  const float* queries =
      nullptr;  ///< [rows, num_heads * head_dim], rows `query_stride` floats apart
  std::int64_t query_stride = 0;
  std::int64_t rows = 0;
  /// Causal: row r sees the keys 0 .. first_position + r. Otherwise every row sees all num_keys.
  std::int64_t first_position = 0;
  std::int64_t num_keys = 0;
  const float* keys = nullptr;    ///< [num_kv_heads, head_dim, capacity]: keys stand in columns
  const float* values = nullptr;  ///< [num_kv_heads, capacity, value_stride]
  std::int64_t capacity = 0;      ///< a multiple of kPanelCols, at least num_keys
  std::int64_t value_stride = 0;  ///< round_up(head_dim, kLanes); what pads a value is finite
  void* out = nullptr;            ///< [rows, num_heads * head_dim], contiguous
  ScalarType out_type = ScalarType::F32;  ///< F32, or BF16: rounded to nearest even
};

/// Sequences of one length that keep no keys and values. Pointers are not owned.
struct DenseAttention {
  /// [sequences * length, (num_heads + 2 num_kv_heads) * head_dim]: queries, keys, values
  const void* qkv = nullptr;
  /// F32; or BF16, head_dim even: then both products are formed in bf16, the softmax rounded to it
  /// as in the eager attention of a bf16 model; sums are f32 in any case.
  ScalarType qkv_type = ScalarType::F32;
  std::int64_t sequences = 0;
  std::int64_t length = 0;
  void* out = nullptr;                    ///< [sequences * length, num_heads * head_dim]
  ScalarType out_type = ScalarType::F32;  ///< F32, or BF16: rounded to nearest even
};

/// Softmax attention within each sequence. A result does not depend on the number of sequences or
/// threads; in f32 it is that of `attention`, to the bit.
void attention_dense(const DenseAttention& job, const AttentionShape& shape, ThreadPool& pool);

/// Softmax attention, in f32. A row's result depends on its own query and the keys and values it
/// sees, to the bit: not on the other rows, spans, the capacity or the threads. Agrees with the
/// eager attention of transformers' Qwen2 and SigLIP (blocks of the reference tests).
void attention(std::span<const AttentionSpan> spans, const AttentionShape& shape, ThreadPool& pool);

}  // namespace aitqe::kernels
