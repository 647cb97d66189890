#include "aitqe/model/qwen2.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aitqe/model/mllm.h"
#include "support/device.h"
#include "support/load_mllm.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using aitqe::test::compute;
using aitqe::test::largest_difference;
using aitqe::test::load_mllm;
using aitqe::test::reference_dir;

/// Runs ids through the model in pieces of the given sizes, with one cache.
/// @param most_wanted  of each piece's results
at::Tensor logits_of(const Mllm& model, const std::vector<std::int32_t>& ids,
                     const std::vector<int>& pieces, int most_wanted = 100) {
  const Qwen2& language = model.language_model();
  const SequenceKv kv =
      nn::allocate_kv(model.compute(), language.num_layers(), language.attention_shape(), 64);
  std::vector<at::Tensor> logits;
  std::int64_t first = 0;
  for (const int count : pieces) {
    at::Tensor hidden =
        at::empty({count, model.config().text.hidden_size}, model.compute().activation_options());
    language.embed({ids.data() + first, static_cast<std::size_t>(count)}, hidden, 0);
    const std::vector<SequenceRows> rows{{{0, count, first}, &kv, std::min(count, most_wanted)}};
    logits.push_back(language.logits(language.forward(hidden, rows)));
    first += count;
  }
  return at::cat(logits);
}

const std::vector<std::int32_t> kIds = {5, 99, 3, 3, 250, 17, 42, 8, 1, 77, 123, 64};

TEST(Qwen2, GivesTheSameBitsInOnePieceAndTokenByToken) {
  const auto model =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const at::Tensor whole = logits_of(*model, kIds, {12});
  EXPECT_TRUE(at::equal(whole, logits_of(*model, kIds, std::vector<int>(12, 1))));
  EXPECT_TRUE(at::equal(whole, logits_of(*model, kIds, {7, 1, 4})));
}

TEST(Qwen2, GivesTheSameResultsWhereOnlySomeAreWanted) {
  for (const nn::Backend backend : {nn::Backend::Kernels, nn::Backend::Aten, nn::Backend::Fused}) {
    const auto model = load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(backend));
    const at::Tensor all = logits_of(*model, kIds, {5, 7});
    const at::Tensor some = logits_of(*model, kIds, {5, 7}, 2);
    const at::Tensor expected = at::cat({all.narrow(0, 3, 2), all.narrow(0, 10, 2)});
    if (backend == nn::Backend::Kernels) {
      EXPECT_TRUE(at::equal(some, expected));
    } else {
      EXPECT_LT(largest_difference(some, expected), 1e-4F);
    }
  }
}

TEST(Qwen2, AgreesBetweenItsBackends) {
  for (const char* name : {"grouped-bf16-sharded", "tied-f32-single", "drop-first-mixed"}) {
    const auto kernels = load_mllm(reference_dir() / name, *compute(nn::Backend::Kernels));
    const auto aten = load_mllm(reference_dir() / name, *compute(nn::Backend::Aten));
    EXPECT_LT(largest_difference(logits_of(*kernels, kIds, {12}), logits_of(*aten, kIds, {12})),
              1e-3F)
        << name;
    EXPECT_LT(
        largest_difference(logits_of(*aten, kIds, {12}), logits_of(*aten, kIds, {5, 3, 1, 3})),
        1e-3F)
        << name;
    const auto fused = load_mllm(reference_dir() / name, *compute(nn::Backend::Fused));
    for (const std::vector<int>& pieces : {std::vector<int>{12}, std::vector<int>{5, 3, 1, 3}}) {
      EXPECT_LT(
          largest_difference(logits_of(*kernels, kIds, {12}), logits_of(*fused, kIds, pieces)),
          1e-3F)
          << name;
    }
  }
}

TEST(Qwen2, StaysCloseInBf16OnBothBackends) {
  const auto exact =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const at::Tensor truth = logits_of(*exact, kIds, {12});
  for (const nn::Backend backend : {nn::Backend::Kernels, nn::Backend::Aten, nn::Backend::Fused}) {
    const auto rounded =
        load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(backend, 2, at::kBFloat16));
    const at::Tensor difference = (logits_of(*rounded, kIds, {12}) - truth).abs();
    EXPECT_LT(difference.mean().item<float>(), 0.1F);  // logits spread over about 4
    EXPECT_GT(difference.max().item<float>(), 0.0F);
  }
}

TEST(Qwen2, GivesOnAGpuAboutWhatItGivesOnACpu) {
  const auto device = test::device_if_there("cuda");
  if (!device) GTEST_SKIP() << "no cuda device here";
  const auto exact =
      load_mllm(reference_dir() / "grouped-bf16-sharded", *compute(nn::Backend::Kernels));
  const at::Tensor truth = logits_of(*exact, kIds, {12});
  for (const nn::Backend backend : {nn::Backend::Aten, nn::Backend::Fused}) {
    if (backend == nn::Backend::Fused && !nn::has_fused_kernels(*device)) continue;
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      nn::Compute there = *compute(backend, 1, dtype);
      there.device = *device;
      const auto model = load_mllm(reference_dir() / "grouped-bf16-sharded", there);
      for (const std::vector<int>& pieces : {std::vector<int>{12}, std::vector<int>{5, 3, 1, 3}}) {
        const at::Tensor difference = (logits_of(*model, kIds, pieces) - truth).abs();
        EXPECT_LT(difference.mean().item<float>(), dtype == at::kFloat ? 1e-4F : 0.1F);
      }
    }
  }
}

}  // namespace
}  // namespace aitqe
