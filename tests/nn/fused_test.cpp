#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <tuple>

#include "aitqe/nn/attention.h"
#include "aitqe/nn/mlp.h"
#include "aitqe/nn/norm.h"
#include "aitqe/nn/packed_index.h"
#include "aitqe/nn/rope.h"
#include "support/device.h"

// Backend::Fused against Backend::Aten on the same device: Note [Rounding of the fused kernels].
namespace aitqe::nn {
namespace {

/// Values that a seed gives on every device alike.
at::Tensor draw(at::IntArrayRef shape, std::uint64_t seed) {
  auto generator = at::detail::createCPUGenerator(seed);
  return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

/// A weight that holds the tensor.
Weight weight_of(const at::Tensor& values) {
  const auto keep = std::make_shared<at::Tensor>(values.to(at::kFloat).contiguous());
  return {"w", values.sizes().vec(), kernels::ScalarType::F32, keep->const_data_ptr(), keep};
}

/// How many of `a` differ from `b`, and by how many neighbouring bf16 at most.
struct Difference {
  std::int64_t count = 0;
  std::int64_t largest_steps = 0;
};
Difference difference_in_bf16(const at::Tensor& a, const at::Tensor& b) {
  const auto steps_of = [](const at::Tensor& x) {  // sign and magnitude -> an ordinary number line
    const at::Tensor bits = x.cpu().contiguous().view(at::kShort).to(at::kLong);
    return at::where(bits < 0, -(bits + 32768), bits);
  };
  const at::Tensor apart = (steps_of(a) - steps_of(b)).abs();
  return {apart.count_nonzero().item<std::int64_t>(), apart.max().item<std::int64_t>()};
}

class FusedOn : public ::testing::TestWithParam<std::tuple<const char*, at::ScalarType>> {
 protected:
  void SetUp() override {
    const auto device = test::device_if_there(std::get<0>(GetParam()));
    if (!device) GTEST_SKIP() << "no " << std::get<0>(GetParam()) << " device here";
    if (!has_fused_kernels(*device)) GTEST_SKIP() << "built without CUDA kernels";
    device_ = *device;
    fused_ = made(Backend::Fused);
    aten_ = made(Backend::Aten);
  }

  std::shared_ptr<const Compute> made(Backend backend) const {
    Compute compute;
    compute.backend = backend;
    compute.device = device_;
    compute.dtype = dtype();
    return std::make_shared<const Compute>(compute);
  }
  static at::ScalarType dtype() { return std::get<1>(GetParam()); }
  at::Tensor here(const at::Tensor& values) const {
    return values.to(device_, dtype(), false, true);
  }

  /// Equal but for a few results at the edge between two bf16; in f32, nearly.
  void expect_close(const at::Tensor& a, const at::Tensor& b, double share) const {
    if (dtype() == at::kFloat) {
      EXPECT_LT(((a - b).abs() / (b.abs() + 1)).max().item<float>(), 2e-6F);
      return;
    }
    const Difference difference = difference_in_bf16(a, b);
    EXPECT_LE(difference.largest_steps, 1);
    EXPECT_LE(static_cast<double>(difference.count), share * static_cast<double>(a.numel()));
  }

  at::Device device_ = at::kCPU;
  std::shared_ptr<const Compute> fused_;
  std::shared_ptr<const Compute> aten_;
};

TEST_P(FusedOn, AddsAndNormalisesAsTwoOperationsDo) {
  for (const std::int64_t n : {3584, 72, 21}) {  // whole runs, few of them, and a cut one
    const Weight weight = weight_of(draw({n}, 1) * 0.1 + 1);
    const at::Tensor update = here(draw({19, n}, 2));
    at::Tensor hidden = here(draw({19, n}, 3) * 4);
    at::Tensor expected_hidden = hidden.clone();
    const at::Tensor y = RmsNorm(weight, 1e-6F, fused_).add_and_norm(hidden, update, dtype());
    const at::Tensor expected =
        RmsNorm(weight, 1e-6F, aten_).add_and_norm(expected_hidden, update, dtype());
    EXPECT_TRUE(at::equal(hidden, expected_hidden)) << n;
    expect_close(y, expected, 0.01);
    at::Tensor alone = hidden.narrow(0, 7, 1).clone();
    EXPECT_TRUE(at::equal(RmsNorm(weight, 1e-6F, fused_).add_and_norm(alone, {}, dtype())[0], y[7]))
        << n;
  }
}

TEST_P(FusedOn, TurnsAndStoresAsSeparateOperationsDoToTheBit) {
  for (const int head_dim : {128, 24, 6}) {
    const kernels::AttentionShape shape{6, 2, head_dim, 1.0F, true};
    const Rope fused_rope(1e6, head_dim, 64, fused_);
    const Rope rope(1e6, head_dim, 64, aten_);
    const at::Tensor qkv = here(draw({5, 10 * head_dim}, 4));
    const at::Tensor expected = qkv.clone();
    const std::vector<std::int64_t> positions{0, 1, 2, 30, 31};
    rope.apply(expected.narrow(1, 0, 6 * head_dim), positions);
    rope.apply(expected.narrow(1, 6 * head_dim, 2 * head_dim), positions);

    KvView pool = allocate_kv(*fused_, 1, shape, 96)[0];
    KvView second = pool;
    pool.first_row = 50;
    const std::vector<KvView> caches{pool, second};
    const std::vector<AttentionRows> rows{{0, 3, 0}, {3, 2, 30}};
    fused_rope.turn_and_store(qkv, shape, make_packed_index(*fused_, rows, caches), pool);

    EXPECT_TRUE(at::equal(qkv.narrow(1, 0, 6 * head_dim), expected.narrow(1, 0, 6 * head_dim)));
    const at::Tensor places = at::tensor({50, 51, 52, 30, 31}).to(device_);
    const auto stored = [&](const at::Tensor& x) { return x.index_select(0, places).flatten(1); };
    EXPECT_TRUE(at::equal(stored(pool.keys), expected.narrow(1, 6 * head_dim, 2 * head_dim)));
    EXPECT_TRUE(at::equal(stored(pool.values), qkv.narrow(1, 8 * head_dim, 2 * head_dim)));
    EXPECT_EQ(pool.keys.count_nonzero().item<std::int64_t>(),
              stored(pool.keys).count_nonzero().item<std::int64_t>());
  }
}

TEST_P(FusedOn, MultipliesByGatesAsTwoOperationsDo) {
  // Every bf16 there is, as a gate: 65536 rows of one value and of nine.
  const at::Tensor gates = at::arange(-32768, 32768, at::kInt).to(at::kShort).view(at::kBFloat16);
  const at::Tensor finite =
      gates.index_select(0, at::isfinite(gates.to(at::kFloat)).nonzero().flatten());
  for (const std::int64_t n : {16, 3}) {
    const std::int64_t rows = finite.size(0) / n;
    const at::Tensor all = finite.narrow(0, 0, rows * n).view({rows, n});
    const at::Tensor gate = here(dtype() == at::kFloat ? all.to(at::kFloat).clamp(-100, 100) : all);
    const at::Tensor up = here(draw({rows, n}, 5));
    const at::Tensor gate_up = at::cat({gate, up}, 1);
    const at::Tensor y = at::empty({rows, n}, gate.options());
    fused_->fused().silu_mul(
        {fused_->fused_type(), rows, n, gate_up.const_data_ptr(), y.mutable_data_ptr()},
        fused_->queue());
    expect_close(y, at::silu(gate) * up, 0.001);
  }
}

TEST_P(FusedOn, AttendsToSequencesOfOnePoolAsToEachAlone) {
  const kernels::AttentionShape shape{6, 2, 16, 0.25F, true};
  const Attention attention(shape, fused_);
  const Attention each(shape, aten_);
  const KvView pool = allocate_kv(*fused_, 1, shape, 256)[0];
  pool.keys.copy_(here(draw({256, 2, 16}, 6)));
  pool.values.copy_(here(draw({256, 2, 16}, 7)));
  // A whole prompt, one token that goes on, several that do, and one that is first.
  const std::vector<AttentionRows> rows{{0, 11, 0}, {11, 1, 30}, {12, 4, 9}, {16, 1, 0}};
  const std::vector<std::int64_t> first_rows{128, 64, 0, 200};
  std::vector<KvView> caches;
  std::vector<KvView> own;
  for (const std::int64_t first : first_rows) {
    caches.push_back({pool.keys, pool.values, first});
    const auto heads_first = [&](const at::Tensor& x) {
      return x.narrow(0, first, 48).transpose(0, 1);
    };
    own.push_back({heads_first(pool.keys), heads_first(pool.values)});
  }
  const at::Tensor queries = here(draw({17, 6 * 16}, 8));
  const at::Tensor y = attention.attend(queries, make_packed_index(*fused_, rows, caches), pool);
  const at::Tensor expected = each.attend(queries, rows, own, dtype());
  const float tolerance = dtype() == at::kFloat ? 2e-6F : 2e-2F;
  EXPECT_LT((y - expected).abs().max().item<float>(), tolerance);
}

TEST_P(FusedOn, AttendsWithinDenseImagesAsWithinEach) {
  const kernels::AttentionShape shape{2, 2, 72, 1.0F / std::sqrt(72.0F), false};
  const Attention attention(shape, fused_);
  const Attention each(shape, aten_);
  const at::Tensor qkv = here(draw({2 * 13, 6 * 72}, 9));
  const std::vector<AttentionRows> rows{{0, 13, 0}, {13, 13, 0}};
  const std::vector<KvView> caches{allocate_kv(*aten_, 1, shape, 13)[0],
                                   allocate_kv(*aten_, 1, shape, 13)[0]};
  each.write(qkv.narrow(1, 144, 144), qkv.narrow(1, 288, 144), rows, caches);
  const at::Tensor expected = each.attend(qkv.narrow(1, 0, 144), rows, caches, dtype());
  const float tolerance = dtype() == at::kFloat ? 2e-6F : 2e-2F;
  EXPECT_LT((attention.attend_dense(qkv, 2, dtype()) - expected).abs().max().item<float>(),
            tolerance);
}

TEST_P(FusedOn, GivesWhatItGivesOnTheCpu) {
  if (device_.is_cpu()) return;
  Compute on_cpu = *fused_;
  on_cpu.device = at::kCPU;
  const auto cpu = std::make_shared<const Compute>(on_cpu);
  const Weight weight = weight_of(draw({3584}, 1) * 0.1 + 1);
  at::Tensor hidden = draw({64, 3584}, 2).to(dtype());
  at::Tensor hidden_there = here(hidden);
  const at::Tensor update = draw({64, 3584}, 3).to(dtype());
  const at::Tensor y = RmsNorm(weight, 1e-6F, cpu).add_and_norm(hidden, update, dtype());
  const at::Tensor there =
      RmsNorm(weight, 1e-6F, fused_).add_and_norm(hidden_there, here(update), dtype());
  EXPECT_TRUE(at::equal(hidden, hidden_there.cpu()));
  expect_close(there.cpu(), y, 0.001);
}

INSTANTIATE_TEST_SUITE_P(Devices, FusedOn,
                         ::testing::Combine(::testing::Values("cpu", "cuda"),
                                            ::testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& one) {
                           return std::string(std::get<0>(one.param)) +
                                  (std::get<1>(one.param) == at::kFloat ? "_f32" : "_bf16");
                         });

}  // namespace
}  // namespace aitqe::nn
