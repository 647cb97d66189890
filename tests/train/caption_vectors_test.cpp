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
                              {{"a cat", {1, 0, 0}}, {"a dog", {0, 0.6F, 0.8F}}});
  const CaptionVectors vectors = CaptionVectors::read(folder / "v.safetensors");
  EXPECT_EQ(vectors.dim(), 3);
  EXPECT_THAT(vectors.find("a dog"), ElementsAre(0, 0.6F, 0.8F));
  EXPECT_THAT(vectors.find(" a dog\n"), ElementsAre(0, 0.6F, 0.8F));
  EXPECT_TRUE(vectors.find("a cow").empty());
}

TEST(CaptionVectors, RefusesVectorsThatAreNotOfUnitLength) {
  const test::TemporaryFolder folder;
  test::write_caption_vectors(folder / "v.safetensors", {{"a cat", {1, 0}}, {"a dog", {3, 4}}});
  EXPECT_THAT(test::message_of([&] { CaptionVectors::read(folder / "v.safetensors"); }),
              HasSubstr("of \"vectors\" has length 5"));
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
