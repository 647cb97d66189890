#include "aitqe/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>

#include "aitqe/kernels/scalar_type.h"
#include "bf16.h"
#include "support/random.h"

namespace aitqe::kernels {
namespace {

using aitqe::test::random_floats;

/// Keys and values of one sequence in the layout of the kernel, its padding filled with junk.
struct Sequence {
  std::int64_t num_keys, capacity, value_stride;
  std::vector<float> keys, values;

  Sequence(const AttentionShape& shape, std::int64_t n, std::int64_t cap, std::uint32_t seed)
      : num_keys(n),
        capacity(cap),
        value_stride(round_up(shape.head_dim, kLanes)),
        keys(shape.num_kv_heads * shape.head_dim * cap, 7.0F),
        values(shape.num_kv_heads * cap * value_stride, 9.0F) {
    const auto k = random_floats(shape.num_kv_heads * n * shape.head_dim, seed);
    const auto v = random_floats(shape.num_kv_heads * n * shape.head_dim, seed + 1);
    for (int h = 0; h < shape.num_kv_heads; ++h) {
      for (std::int64_t t = 0; t < n; ++t) {
        for (int d = 0; d < shape.head_dim; ++d) {
          const std::size_t from = (h * n + t) * shape.head_dim + d;
          keys[(h * shape.head_dim + d) * cap + t] = 3.0F * k[from];
          values[(h * cap + t) * value_stride + d] = v[from];
        }
      }
    }
  }
};

std::vector<float> run(const AttentionShape& shape, const Sequence& sequence,
                       const std::vector<float>& queries, std::int64_t first_row, std::int64_t rows,
                       std::int64_t first_position, int num_threads) {
  const std::int64_t width = shape.num_heads * shape.head_dim;
  std::vector<float> out(rows * width);
  const AttentionSpan span{queries.data() + first_row * width,
                           width,
                           rows,
                           first_position,
                           sequence.num_keys,
                           sequence.keys.data(),
                           sequence.values.data(),
                           sequence.capacity,
                           sequence.value_stride,
                           out.data()};
  ThreadPool pool(num_threads);
  attention({&span, 1}, shape, pool);
  return out;
}

std::vector<float> expected(const AttentionShape& shape, const Sequence& s,
                            const std::vector<float>& q, std::int64_t rows) {
  std::vector<float> out(rows * shape.num_heads * shape.head_dim);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (int h = 0; h < shape.num_heads; ++h) {
      const int kv = h / (shape.num_heads / shape.num_kv_heads);
      const std::int64_t seen = shape.causal ? r + 1 : s.num_keys;
      std::vector<double> weights(seen);
      double total = 0;
      for (std::int64_t t = 0; t < seen; ++t) {
        double dot = 0;
        for (int d = 0; d < shape.head_dim; ++d) {
          dot += double{q[(r * shape.num_heads + h) * shape.head_dim + d]} *
                 s.keys[(kv * shape.head_dim + d) * s.capacity + t];
        }
        weights[t] = std::exp(dot * shape.scale);
        total += weights[t];
      }
      for (int d = 0; d < shape.head_dim; ++d) {
        double sum = 0;
        for (std::int64_t t = 0; t < seen; ++t) {
          sum += weights[t] / total * s.values[(kv * s.capacity + t) * s.value_stride + d];
        }
        out[(r * shape.num_heads + h) * shape.head_dim + d] = static_cast<float>(sum);
      }
    }
  }
  return out;
}

TEST(Attention, AgreesWithDoublePrecision) {
  for (const bool causal : {true, false}) {
    for (const int head_dim : {16, 24, 72, 128}) {
      const AttentionShape shape{6, 2, head_dim, 1.0F / std::sqrt(float(head_dim)), causal};
      const Sequence sequence(shape, 70, 96, 5);
      const auto queries = random_floats(70 * 6 * head_dim, 8);
      const auto out = run(shape, sequence, queries, 0, 70, 0, 2);
      const auto truth = expected(shape, sequence, queries, 70);
      for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], truth[i], 2e-6);
    }
  }
}

TEST(Attention, GivesARowTheSameBitsAloneAndInABlock) {
  const AttentionShape shape{4, 2, 24, 0.2F, true};
  const Sequence sequence(shape, 70, 96, 5);
  const Sequence roomier(shape, 70, 320, 5);
  const auto queries = random_floats(70 * 4 * 24, 8);
  const auto whole = run(shape, sequence, queries, 0, 70, 0, 3);
  EXPECT_EQ(run(shape, roomier, queries, 0, 70, 0, 1), whole);
  for (const std::int64_t row : {0, 1, 15, 16, 33, 69}) {
    const std::vector<float> part(whole.begin() + row * 96, whole.begin() + (row + 1) * 96);
    EXPECT_EQ(run(shape, sequence, queries, row, 1, row, 1), part) << row;
  }
}

/// Rows of qkv whose keys and values are those of the sequence.
std::vector<float> dense_rows(const AttentionShape& shape, const Sequence& s,
                              const std::vector<float>& queries) {
  std::vector<float> rows;
  const int dim = shape.head_dim;
  for (std::int64_t t = 0; t < s.num_keys; ++t) {
    const auto query = queries.begin() + t * shape.num_heads * dim;
    rows.insert(rows.end(), query, query + shape.num_heads * dim);
    for (int i = 0; i < shape.num_kv_heads * dim; ++i) {
      rows.push_back(s.keys[i * s.capacity + t]);
    }
    for (int h = 0; h < shape.num_kv_heads; ++h) {
      const auto value = s.values.begin() + (h * s.capacity + t) * s.value_stride;
      rows.insert(rows.end(), value, value + dim);
    }
  }
  return rows;
}

std::vector<float> run_dense(const AttentionShape& shape, const void* qkv, ScalarType type,
                             std::int64_t sequences, std::int64_t length, int num_threads) {
  std::vector<float> out(sequences * length * shape.num_heads * shape.head_dim);
  ThreadPool pool(num_threads);
  attention_dense({qkv, type, sequences, length, out.data(), ScalarType::F32}, shape, pool);
  return out;
}

TEST(AttentionDense, HasTheBitsOfTheOtherInF32) {
  for (const bool causal : {true, false}) {
    for (const std::int64_t length : {1, 31, 70, 300}) {
      const AttentionShape shape{6, 2, 24, 0.2F, causal};
      const Sequence sequence(shape, length, round_up(length, kPanelCols), 5);
      const auto queries = random_floats(length * 6 * 24, 8);
      const auto qkv = dense_rows(shape, sequence, queries);
      EXPECT_EQ(run_dense(shape, qkv.data(), ScalarType::F32, 1, length, 2),
                run(shape, sequence, queries, 0, length, 0, 2))
          << length;
    }
  }
}

TEST(AttentionDense, RoundsInBf16AsFarAsItsFactorsAre) {
  for (const bool causal : {true, false}) {
    for (const std::int64_t length : {1, 31, 70, 300}) {
      const AttentionShape shape{6, 2, 24, 0.2F, causal};
      const Sequence sequence(shape, length, round_up(length, kPanelCols), 5);
      const auto queries = random_floats(length * 6 * 24, 8);
      const auto qkv = aitqe::test::as_bf16(dense_rows(shape, sequence, queries));
      const auto out = run_dense(shape, qkv.data(), ScalarType::BF16, 1, length, 2);
      const auto truth = expected(shape, sequence, queries, length);
      // Scores are at most about 10, so that 2^-9 of one of their factors is some hundredths.
      for (std::size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], truth[i], 0.05) << length;
    }
  }
}

TEST(AttentionDense, GivesASequenceTheSameBitsAloneAndAmongOthers) {
  const AttentionShape shape{4, 4, 16, 0.25F, false};
  constexpr std::int64_t kLength = 33;
  constexpr std::int64_t kRowWidth = 12 * 16;
  const auto rows = aitqe::test::as_bf16(random_floats(3 * kLength * kRowWidth, 4));
  const auto all = run_dense(shape, rows.data(), ScalarType::BF16, 3, kLength, 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto alone =
        run_dense(shape, rows.data() + i * kLength * kRowWidth, ScalarType::BF16, 1, kLength, 1);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + i * kLength * 4 * 16)) << i;
  }
}

TEST(Attention, WritesBf16RoundedToNearest) {
  const AttentionShape shape{4, 2, 24, 0.2F, true};
  const Sequence sequence(shape, 70, 96, 5);
  const auto queries = random_floats(70 * 4 * 24, 8);
  const auto floats = run(shape, sequence, queries, 0, 70, 0, 2);
  for (const std::int64_t rows : {1, 70}) {  // one row takes the heads of its keys together
    std::vector<std::uint16_t> halves(static_cast<std::size_t>(rows * 96));
    AttentionSpan span{queries.data(),         96, rows, 0,       70, sequence.keys.data(),
                       sequence.values.data(), 96, 32,   nullptr, {}};
    span.out = halves.data();
    span.out_type = ScalarType::BF16;
    ThreadPool pool(2);
    attention({&span, 1}, shape, pool);
    EXPECT_EQ(halves, aitqe::test::as_bf16({floats.begin(), floats.begin() + rows * 96})) << rows;
  }
}

}  // namespace
}  // namespace aitqe::kernels
