#include "aitqe/model/tensor_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <vector>

#include "aitqe/io/safetensors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

template <typename T>
std::vector<T> values_of(const SafetensorsFile& file, const std::string& name) {
  const std::span<const std::byte> data = file.data(name);
  std::vector<T> values(data.size() / sizeof(T));
  std::memcpy(values.data(), data.data(), data.size());  // it need not be aligned in the file
  return values;
}

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
  EXPECT_EQ(values_of<float>(*file, "across"), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(file->tensors().at("half").dtype, TensorDtype::BF16);
  EXPECT_EQ(file->tensors().at("place").dtype, TensorDtype::I64);
  EXPECT_EQ(values_of<std::int64_t>(*file, "place"), (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(file->tensors().at("bytes").dtype, TensorDtype::U8);
}

}  // namespace
}  // namespace aitqe
