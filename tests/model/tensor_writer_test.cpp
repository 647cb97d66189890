#include "aitqe/model/tensor_writer.h"

#include <gtest/gtest.h>

#include "aitqe/io/safetensors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

TEST(WriteTensors, KeepsNamesShapesDtypesAndValues) {
  const test::TemporaryFolder folder;
  const at::Tensor matrix = at::arange(6, at::kFloat).view({2, 3});
  write_tensors(folder / "t.safetensors",
                {{"across", matrix.t()},  // not contiguous
                 {"half", matrix.to(at::kBFloat16)},
                 {"place", at::tensor({7, 8}, at::kLong)},
                 {"bytes", at::tensor({1, 2, 3}, at::kByte)}},
                {{"format", "pt"}});
  const auto file = SafetensorsFile::open(folder / "t.safetensors");
  ASSERT_EQ(file->tensors().size(), 4U);
  EXPECT_EQ(file->tensors().at("across").dtype, TensorDtype::F32);
  EXPECT_EQ(file->tensors().at("across").shape, (std::vector<std::int64_t>{3, 2}));
  const auto* across = reinterpret_cast<const float*>(file->data("across").data());
  EXPECT_EQ(std::vector<float>(across, across + 6), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(file->tensors().at("half").dtype, TensorDtype::BF16);
  EXPECT_EQ(file->tensors().at("place").dtype, TensorDtype::I64);
  const auto* place = reinterpret_cast<const std::int64_t*>(file->data("place").data());
  EXPECT_EQ(place[1], 8);
  EXPECT_EQ(file->tensors().at("bytes").dtype, TensorDtype::U8);
}

}  // namespace
}  // namespace aitqe
