#include "aitqe/train/caption_vectors.h"

#include <gmock/gmock.h>

#include "aitqe/io/safetensors_writer.h"
#include "support/caption_vectors.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CaptionVectors, FindsTheVectorOfACaption) {
  const test::TemporaryFolder folder;
  test::write_caption_vectors(folder / "v.safetensors",
                              {{"a cat", {1, 2, 3}}, {"a dog", {4, 5, 6}}});
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
