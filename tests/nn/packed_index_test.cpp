#include "aitqe/nn/packed_index.h"

#include <gtest/gtest.h>

#include "support/device.h"

namespace aitqe::nn {
namespace {

std::vector<std::int32_t> list(const at::Tensor& tensor) {
  const at::Tensor here = tensor.cpu().contiguous();
  EXPECT_EQ(here.scalar_type(), at::kInt);
  return {here.const_data_ptr<std::int32_t>(), here.const_data_ptr<std::int32_t>() + here.numel()};
}

class PackedIndexOn : public ::testing::TestWithParam<const char*> {};

TEST_P(PackedIndexOn, SaysWhereRowsAndKeysStand) {
  const auto device = test::device_if_there(GetParam());
  if (!device) GTEST_SKIP() << "no " << GetParam() << " device here";
  Compute compute;
  compute.device = *device;
  // A prompt of three at pool row 40, one token behind seven at row 8, two behind one at row 0.
  const std::vector<AttentionRows> rows{{0, 3, 0}, {3, 1, 7}, {4, 2, 1}};
  const std::vector<KvView> caches{{{}, {}, 40}, {{}, {}, 8}, {{}, {}, 0}};
  const PackedIndex index = make_packed_index(compute, rows, caches);
  EXPECT_EQ(index.positions.device(), *device);
  EXPECT_EQ(list(index.positions), (std::vector<std::int32_t>{0, 1, 2, 7, 1, 2}));
  EXPECT_EQ(list(index.places), (std::vector<std::int32_t>{40, 41, 42, 15, 1, 2}));
  EXPECT_EQ(list(index.cum_rows), (std::vector<std::int32_t>{0, 3, 4, 6}));
  EXPECT_EQ(list(index.first_keys), (std::vector<std::int32_t>{40, 8, 0, 0}));
  EXPECT_EQ(list(index.num_keys), (std::vector<std::int32_t>{3, 8, 3}));
  EXPECT_EQ(index.max_rows, 3);
  EXPECT_EQ(index.max_keys, 8);
}

INSTANTIATE_TEST_SUITE_P(Devices, PackedIndexOn, ::testing::Values("cpu", "cuda"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace aitqe::nn
