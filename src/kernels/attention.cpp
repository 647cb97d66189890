#include "aitqe/kernels/attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "aitqe/kernels/cpu_dispatch.h"
#include "aitqe/kernels/scalar_type.h"

namespace aitqe::kernels {

namespace {

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

/// c [rows, cols] = a [rows, depth] b [depth, cols], depth cut into the blocks of gemm.h.
void multiply(const float* a, std::int64_t lda, const float* b, std::int64_t ldb, int rows,
              int cols, std::int64_t depth, float* c, std::int64_t ldc) {
  for (std::int64_t k0 = 0; k0 < depth; k0 += kDepthBlock) {
    const int block = static_cast<int>(std::min<std::int64_t>(kDepthBlock, depth - k0));
    cpu_kernels().gemm_f32(a + k0, lda, b + k0 * ldb, ldb, rows, cols, block, c, ldc, k0 > 0);
  }
}

void run(const Task& task, const AttentionShape& shape) {
  thread_local std::vector<float> score_space;
  thread_local std::vector<float> out_space;
  const AttentionSpan& span = *task.span;
  const std::int64_t dim = shape.head_dim;
  const std::int64_t width = shape.num_heads * dim;
  const std::int64_t kv_head = task.first_head / (shape.num_heads / shape.num_kv_heads);
  const std::int64_t most_keys = keys_seen(span, shape.causal, task.first_row + task.rows - 1);
  const std::int64_t padded = round_up(most_keys, kLanes);
  const int lines = task.lines();

  score_space.resize(static_cast<std::size_t>(lines * padded));
  float* scores = score_space.data();  // [lines, padded]
  multiply(span.queries + task.first_row * span.query_stride + task.first_head * dim,
           task.heads > 1 ? dim : span.query_stride, span.keys + kv_head * dim * span.capacity,
           span.capacity, lines, static_cast<int>(padded), dim, scores, padded);
  for (std::int64_t line = 0; line < lines; ++line) {
    cpu_kernels().softmax(scores + line * padded, shape.scale,
                          keys_seen(span, shape.causal, task.row(line)), padded);
  }
  out_space.resize(static_cast<std::size_t>(lines * span.value_stride));
  multiply(scores, padded, span.values + kv_head * span.capacity * span.value_stride,
           span.value_stride, lines, static_cast<int>(span.value_stride), most_keys,
           out_space.data(), span.value_stride);
  for (std::int64_t line = 0; line < lines; ++line) {
    const float* from = out_space.data() + line * span.value_stride;
    const std::int64_t to = task.row(line) * width + task.head(line) * dim;
    if (span.out_type == ScalarType::BF16) {
      cpu_kernels().to_bf16(from, dim, static_cast<std::uint16_t*>(span.out) + to);
    } else {
      std::memcpy(static_cast<float*>(span.out) + to, from,
                  static_cast<std::size_t>(dim) * sizeof(float));
    }
  }
}

void add_tasks(const AttentionSpan& span, const AttentionShape& shape, std::vector<Task>& tasks) {
  const int heads = span.rows == 1 ? shape.num_heads / shape.num_kv_heads : 1;
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
  for (const AttentionSpan& span : spans) add_tasks(span, shape, tasks);
  pool.parallel_for(tasks.size(), [&](std::size_t i) { run(tasks[i], shape); });
}

}  // namespace aitqe::kernels
