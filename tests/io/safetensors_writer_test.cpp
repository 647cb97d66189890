#include "aitqe/io/safetensors_writer.h"

#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  const test::TemporaryFolder folder;
  const std::string one = "abcdefgh";
  const std::string two = "xyz";
  const std::vector<TensorToWrite> tensors = {{"b", TensorDtype::F32, {2, 1}, bytes_of(one)},
                                              {"a.weight", TensorDtype::U8, {3}, bytes_of(two)},
                                              {"empty", TensorDtype::BF16, {0, 4}, {}}};
  write_safetensors(folder / "m.safetensors", tensors, {{"step", "7"}});
  const auto file = SafetensorsFile::open(folder / "m.safetensors");
  EXPECT_EQ(file->tensors().size(), 3U);
  EXPECT_EQ(file->tensors().at("b").shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(file->tensors().at("b").offset_bytes % 64, 0);
  const auto read = file->data("a.weight");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(read.data()), read.size()), "xyz");
}

TEST(SafetensorsWriter, RefusesBytesThatDoNotFit) {
  const test::TemporaryFolder folder;
  const std::string one = "abc";
  const std::vector<TensorToWrite> wrong = {{"a", TensorDtype::F32, {1}, bytes_of(one)}};
  EXPECT_THROW(write_safetensors(folder / "m.safetensors", wrong), Error);
  const std::vector<TensorToWrite> twice = {{"a", TensorDtype::U8, {3}, bytes_of(one)},
                                            {"a", TensorDtype::U8, {3}, bytes_of(one)}};
  EXPECT_THROW(write_safetensors(folder / "m.safetensors", twice), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "m.safetensors"));
}

}  // namespace
}  // namespace aitqe
