#include "aitqe/train/caption_vectors.h"

#include <gmock/gmock.h>

#include "aitqe/base/hash.h"
#include "aitqe/io/safetensors_writer.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string raw_digest(const std::string& text) {
  const std::string hex = sha256_hex(text);
  std::string raw;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return raw;
}

TEST(CaptionVectors, FindsTheVectorOfACaption) {
  const test::TemporaryFolder folder;
  const std::string hashes = raw_digest("a cat") + raw_digest("a dog");
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  write_safetensors(folder / "v.safetensors",
                    std::vector<TensorToWrite>{
                        {"sha256", TensorDtype::U8, {2, 32}, std::as_bytes(std::span(hashes))},
                        {"vectors", TensorDtype::F32, {2, 3}, std::as_bytes(std::span(values))}});
  const CaptionVectors vectors = CaptionVectors::read(folder / "v.safetensors");
  EXPECT_EQ(vectors.dim(), 3);
  EXPECT_THAT(vectors.find("a dog"), ElementsAre(4, 5, 6));
  EXPECT_TRUE(vectors.find("a cow").empty());
}

TEST(CaptionVectors, SaysWhatTheFileShouldHold) {
  const test::TemporaryFolder folder;
  const std::string hashes(32, 'x');
  write_safetensors(folder / "v.safetensors",
                    std::vector<TensorToWrite>{
                        {"sha256", TensorDtype::U8, {1, 32}, std::as_bytes(std::span(hashes))}});
  EXPECT_THAT(test::message_of([&] { CaptionVectors::read(folder / "v.safetensors"); }),
              HasSubstr("expected a matrix \"vectors\" of F32"));
}

}  // namespace
}  // namespace aitqe
