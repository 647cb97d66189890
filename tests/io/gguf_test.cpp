#include "aitqe/io/gguf.h"

#include <gmock/gmock.h>

#include <cstring>

#include "aitqe/io/safetensors.h"
#include "io/io_support.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

// Made by scripts/make_gguf_vectors.py with the `gguf` package.
const std::string kFolder = std::string(AITQE_SOURCE_DIR) + "/tests/data/gguf/";

TEST(GgufFile, DequantisesEveryTypeAsTheGgufPackage) {
  const auto file = GgufFile::open(kFolder + "small.gguf");
  const auto expected = SafetensorsFile::open(kFolder + "expected.safetensors");
  for (const auto& [name, info] : expected->tensors()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(file->header().tensors.at(name).shape, info.shape);
    const std::vector<float> values = file->to_floats(name);
    std::vector<float> theirs(values.size());
    ASSERT_EQ(values.size() * sizeof(float), static_cast<std::size_t>(info.num_bytes));
    std::memcpy(theirs.data(), expected->data(name).data(), theirs.size() * sizeof(float));
    EXPECT_EQ(values, theirs);
  }
  EXPECT_EQ(expected->tensors().size(), 5U);
}

TEST(GgufFile, TellsNumbersAndPassesOverVocabularies) {
  const auto file = GgufFile::open(kFolder + "small.gguf");
  EXPECT_EQ(file->number("llama.rope.freq_base"), 100000.0);
  EXPECT_EQ(file->number("llama.block_count"), 2.0);
  EXPECT_EQ(std::get<std::string>(file->header().values.at("general.architecture")), "llama");
  EXPECT_THAT(test::message_of([&] { file->number("tokenizer.ggml.tokens"); }),
              HasSubstr("no number \"tokenizer.ggml.tokens\""));
  EXPECT_THAT(test::message_of([&] { file->to_floats("none"); }), HasSubstr("no tensor \"none\""));
}

std::string complaint(const std::string& bytes) {
  return test::message_of(
      [&] { parse_gguf(std::as_bytes(std::span(bytes.data(), bytes.size())), "m.gguf"); });
}

TEST(ParseGguf, RefusesWhatIsCutAnywhere) {
  const std::string whole = test::read_bytes(kFolder + "small.gguf");
  EXPECT_EQ(complaint(whole), "nothing was thrown");
  for (std::size_t size = 0; size < whole.size() - 32; size += 7) {
    EXPECT_NE(complaint(whole.substr(0, size)), "nothing was thrown") << size;
  }
}

TEST(ParseGguf, RefusesHostileClaims) {
  std::string bytes = test::read_bytes(kFolder + "small.gguf");
  const auto with = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    std::string changed = bytes;
    std::memcpy(changed.data() + at, &value, size);
    return complaint(changed);
  };
  EXPECT_THAT(with(0, 0, 4), HasSubstr("is no GGUF file"));
  EXPECT_THAT(with(4, 1, 4), HasSubstr("GGUF version 1, expected 2 or 3"));
  EXPECT_THAT(with(8, ~0ULL, 8), HasSubstr("m.gguf: "));   // tensors
  EXPECT_THAT(with(16, ~0ULL, 8), HasSubstr("m.gguf: "));  // values
  EXPECT_THAT(with(24, ~0ULL, 8), HasSubstr("a key of 18446744073709551615 bytes"));
  const std::size_t shape = bytes.find("q4_1") + 4 + 4;
  EXPECT_THAT(with(shape, 1ULL << 62, 8), HasSubstr("tensor \"q4_1\": impossible shape"));
  EXPECT_THAT(with(shape, 63, 8), HasSubstr("do not fill blocks of 32"));
  EXPECT_THAT(with(shape + 16, 999, 4), HasSubstr("type 999, expected F32"));
  EXPECT_THAT(with(shape + 20, 1U << 30, 8), HasSubstr("begins behind the end"));
}

}  // namespace
}  // namespace aitqe
