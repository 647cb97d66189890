#include "aitqe/kernels/attention.h"

#include <algorithm>
#include <cassert>
#include <vector>

#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/kernels/gemm.h"
#include "aitqe/kernels/scalar_type.h"
#include "store.h"

namespace aitqe::kernels {

namespace {

constexpr std::int64_t kTasksPerThread = 4;
constexpr std::int64_t kRowsPerTask = 24;  // their scores over 1,200 keys stay in L2

/// What one thread makes: a few rows of one head, or one row of the heads that share their keys.
struct Task {
  const AttentionSpan* span;
  int first_head;
  int heads;
  std::int64_t first_row;
  std::int64_t rows;

  int lines() const { return static_cast<int>(rows) * heads; }
  std::int64_t row(std::int64_t line) const { return heads > 1 ? first_row : first_row + line; }
  std::int64_t head(std::int64_t line) const { return heads > 1 ? first_head + line : first_head; }
};

std::int64_t keys_seen(const AttentionSpan& span, bool causal, std::int64_t row) {
  return causal ? span.first_position + row + 1 : span.num_keys;
}

/// Keys and values of one head as products take them: a word is one f32, or bf16 of two neighbours.
struct HeadMemory {
  Compute compute = Compute::F32;
  const std::uint32_t* keys = nullptr;  ///< [words of head_dim, capacity]
  std::int64_t capacity = 0;
  const std::uint32_t* values = nullptr;  ///< [words of the keys, value_stride]
  std::int64_t value_stride = 0;
};

std::int64_t words_of(Compute compute, std::int64_t count) {
  return compute == Compute::BF16 ? (count + 1) / 2 : count;
}

/// c [rows, cols] = a [rows, depth] b [depth, cols], depth cut into the blocks of gemm.h.
/// @param depth  in words, as the strides of a and b
void multiply(Compute compute, const std::uint32_t* a, std::int64_t lda, const std::uint32_t* b,
              std::int64_t ldb, int rows, int cols, std::int64_t depth, float* c,
              std::int64_t ldc) {
  const std::int64_t most = words_of(compute, kDepthBlock);
  for (std::int64_t k0 = 0; k0 < depth; k0 += most) {
    const int block = static_cast<int>(std::min(most, depth - k0));
    const bool accumulate = k0 > 0;
    if (compute == Compute::BF16) {
      cpu_kernels().gemm_bf16(a + k0, lda, b + k0 * ldb, ldb, rows, cols, block, c, ldc,
                              accumulate);
    } else {
      cpu_kernels().gemm_f32(reinterpret_cast<const float*>(a + k0), lda,
                             reinterpret_cast<const float*>(b + k0 * ldb), ldb, rows, cols, block,
                             c, ldc, accumulate);
    }
  }
}

/// Attention of `lines` queries, each of one head and one row.
/// @param queries    [lines, words of head_dim], `query_stride` words apart
/// @param keys_seen  keys_seen(line), at most `most_keys`
/// @param put        put(line, its head_dim results)
template <typename KeysSeen, typename Put>
void attend(const std::uint32_t* queries, std::int64_t query_stride, int lines,
            const HeadMemory& memory, const AttentionShape& shape, std::int64_t most_keys,
            const KeysSeen& keys_seen, const Put& put) {
  thread_local std::vector<float> score_space;
  thread_local std::vector<std::uint32_t> rounded_space;
  thread_local std::vector<float> out_space;
  const std::int64_t padded = round_up(most_keys, kLanes);
  score_space.resize(static_cast<std::size_t>(lines * padded));
  float* scores = score_space.data();  // [lines, padded]
  multiply(memory.compute, queries, query_stride, memory.keys, memory.capacity, lines,
           static_cast<int>(padded), words_of(memory.compute, shape.head_dim), scores, padded);
  for (std::int64_t line = 0; line < lines; ++line) {
    cpu_kernels().softmax(scores + line * padded, shape.scale, keys_seen(line), padded);
  }
  const auto* weights = reinterpret_cast<const std::uint32_t*>(scores);
  if (memory.compute == Compute::BF16) {
    rounded_space.resize(static_cast<std::size_t>(lines * padded / 2));
    cpu_kernels().to_bf16(scores, lines * padded,
                          reinterpret_cast<std::uint16_t*>(rounded_space.data()));
    weights = rounded_space.data();
  }
  out_space.resize(static_cast<std::size_t>(lines * memory.value_stride));
  multiply(memory.compute, weights, words_of(memory.compute, padded), memory.values,
           memory.value_stride, lines, static_cast<int>(memory.value_stride),
           words_of(memory.compute, most_keys), out_space.data(), memory.value_stride);
  for (std::int64_t line = 0; line < lines; ++line) {
    put(line, out_space.data() + line * memory.value_stride);
  }
}

const std::uint32_t* as_words(const float* values) {
  return reinterpret_cast<const std::uint32_t*>(values);
}

void run(const Task& task, const AttentionShape& shape) {
  const AttentionSpan& span = *task.span;
  const std::int64_t dim = shape.head_dim;
  const std::int64_t width = shape.num_heads * dim;
  const std::int64_t kv_head = task.first_head / (shape.num_heads / shape.num_kv_heads);
  const HeadMemory memory{
      Compute::F32, as_words(span.keys + kv_head * dim * span.capacity), span.capacity,
      as_words(span.values + kv_head * span.capacity * span.value_stride), span.value_stride};
  attend(
      as_words(span.queries + task.first_row * span.query_stride + task.first_head * dim),
      task.heads > 1 ? dim : span.query_stride, task.lines(), memory, shape,
      keys_seen(span, shape.causal, task.first_row + task.rows - 1),
      [&](std::int64_t line) { return keys_seen(span, shape.causal, task.row(line)); },
      [&](std::int64_t line, const float* values) {
        store(values, dim, span.out, span.out_type, task.row(line) * width + task.head(line) * dim);
      });
}

/// One sequence of a DenseAttention, seen in words.
struct DenseSequence {
  DenseSequence(const DenseAttention& job, const AttentionShape& shape, std::int64_t sequence)
      : compute(job.qkv_type == ScalarType::BF16 ? Compute::BF16 : Compute::F32),
        length(job.length),
        dim_words(words_of(compute, shape.head_dim)),
        stride((shape.num_heads + 2 * shape.num_kv_heads) * dim_words),
        words(static_cast<const std::uint32_t*>(job.qkv) + sequence * length * stride) {}

  /// Where the first row of a head of queries, keys or values stands, in the order of qkv.
  const std::uint32_t* head(int index) const { return words + index * dim_words; }

  Compute compute;
  std::int64_t length;
  std::int64_t dim_words;
  std::int64_t stride;
  const std::uint32_t* words;
};

/// [rows, cols] -> [cols, to_stride], what is past the rows zero.
void transpose(const std::uint32_t* from, std::int64_t from_stride, std::int64_t rows,
               std::int64_t cols, std::uint32_t* to, std::int64_t to_stride) {
  for (std::int64_t first = 0; first < to_stride; first += kLanes) {  // a cache line of each column
    const std::int64_t count = std::clamp<std::int64_t>(rows - first, 0, kLanes);
    for (std::int64_t col = 0; col < cols; ++col) {
      std::uint32_t* line = to + col * to_stride + first;
      for (std::int64_t row = 0; row < count; ++row) {
        line[row] = from[(first + row) * from_stride + col];
      }
      for (std::int64_t row = count; row < std::min<std::int64_t>(kLanes, to_stride - first);
           ++row) {
        line[row] = 0;
      }
    }
  }
}

/// Values of one head, [length, head_dim], as HeadMemory has them; what pads them is zero.
void pack_values(const DenseSequence& sequence, const std::uint32_t* from, std::int64_t dim,
                 std::int64_t value_stride, std::uint32_t* to) {
  const std::int64_t length = sequence.length;
  std::fill_n(to, words_of(sequence.compute, length) * value_stride, 0U);
  if (sequence.compute == Compute::F32) {
    for (std::int64_t row = 0; row < length; ++row) {
      std::copy_n(from + row * sequence.stride, dim, to + row * value_stride);
    }
    return;
  }
  const auto* halves = reinterpret_cast<const std::uint16_t*>(from);
  for (std::int64_t row = 0; row < length; row += 2) {
    const std::uint16_t* first = halves + row * sequence.stride * 2;
    const std::uint16_t* second = first + sequence.stride * 2;
    std::uint32_t* line = to + row / 2 * value_stride;
    const bool has_second = row + 1 < length;
    for (std::int64_t d = 0; d < dim; ++d) {
      line[d] = first[d] | (has_second ? std::uint32_t{second[d]} << 16 : 0);
    }
  }
}

/// Some rows of the heads that share one head of keys.
void run_dense(const DenseAttention& job, const AttentionShape& shape, std::int64_t index,
               int kv_head, std::int64_t begin_row, std::int64_t end_row) {
  thread_local std::vector<std::uint32_t> key_space;
  thread_local std::vector<std::uint32_t> value_space;
  const DenseSequence sequence(job, shape, index);
  const std::int64_t dim = shape.head_dim;
  const std::int64_t width = shape.num_heads * dim;
  const std::int64_t capacity = round_up(job.length, kLanes);
  const std::int64_t value_stride = round_up(dim, kLanes);
  key_space.resize(static_cast<std::size_t>(sequence.dim_words * capacity));
  value_space.resize(
      static_cast<std::size_t>(words_of(sequence.compute, job.length) * value_stride));
  transpose(sequence.head(shape.num_heads + kv_head), sequence.stride, job.length,
            sequence.dim_words, key_space.data(), capacity);
  pack_values(sequence, sequence.head(shape.num_heads + shape.num_kv_heads + kv_head), dim,
              value_stride, value_space.data());
  const HeadMemory memory{sequence.compute, key_space.data(), capacity, value_space.data(),
                          value_stride};
  const int group = shape.num_heads / shape.num_kv_heads;
  for (int head = kv_head * group; head < (kv_head + 1) * group; ++head) {
    for (std::int64_t first = begin_row; first < end_row; first += kRowsPerTask) {
      const std::int64_t rows = std::min(kRowsPerTask, end_row - first);
      const auto seen = [&](std::int64_t row) {
        return shape.causal ? first + row + 1 : job.length;
      };
      attend(sequence.head(head) + first * sequence.stride, sequence.stride, static_cast<int>(rows),
             memory, shape, seen(rows - 1), seen, [&](std::int64_t row, const float* values) {
               store(values, dim, job.out, job.out_type,
                     (index * job.length + first + row) * width + head * dim);
             });
    }
  }
}

/// @param shares_keys  single rows of the heads that share their keys are one task
void add_tasks(const AttentionSpan& span, const AttentionShape& shape, bool shares_keys,
               std::vector<Task>& tasks) {
  const int heads = span.rows == 1 && shares_keys ? shape.num_heads / shape.num_kv_heads : 1;
  for (int head = 0; head < shape.num_heads; head += heads) {
    for (std::int64_t row = 0; row < span.rows; row += kRowsPerTask) {
      tasks.push_back({&span, head, heads, row, std::min(kRowsPerTask, span.rows - row)});
    }
  }
}

}  // namespace

void attention(std::span<const AttentionSpan> spans, const AttentionShape& shape,
               ThreadPool& pool) {
  std::vector<Task> tasks;
  const bool shares_keys = std::ssize(spans) * shape.num_kv_heads >= pool.num_threads();
  for (const AttentionSpan& span : spans) add_tasks(span, shape, shares_keys, tasks);
  pool.parallel_for(tasks.size(), [&](std::size_t i) { run(tasks[i], shape); });
}

void attention_dense(const DenseAttention& job, const AttentionShape& shape, ThreadPool& pool) {
  assert(job.qkv_type == ScalarType::F32 || shape.head_dim % 2 == 0);
  // A part of the rows makes keys and values ready for itself: only as many parts as keep every
  // thread busy.
  const std::int64_t heads = job.sequences * shape.num_kv_heads;
  const std::int64_t wanted = round_up(kTasksPerThread * pool.num_threads(), heads) / heads;
  const std::int64_t blocks = round_up(job.length, kRowsPerTask) / kRowsPerTask;
  const std::int64_t blocks_per_part =
      round_up(blocks, std::min(wanted, blocks)) / std::min(wanted, blocks);
  const std::int64_t parts = round_up(blocks, blocks_per_part) / blocks_per_part;
  pool.parallel_for(static_cast<std::size_t>(heads * parts), [&](std::size_t index) {
    const auto task = static_cast<std::int64_t>(index);
    const std::int64_t head = task / parts;
    const std::int64_t first = task % parts * blocks_per_part * kRowsPerTask;
    run_dense(job, shape, head / shape.num_kv_heads, static_cast<int>(head % shape.num_kv_heads),
              first, std::min(job.length, first + blocks_per_part * kRowsPerTask));
  });
}

}  // namespace aitqe::kernels
