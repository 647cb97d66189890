#include "aitqe/train/concepts.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "aitqe/io/safetensors_writer.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConceptsTest : public ::testing::Test {
 protected:
  Concepts read(const std::string& texts, std::vector<float> rows = {1, 0, -8, 0, 2, 0}) const {
    const auto dim = static_cast<std::int64_t>(rows.size()) / 2;
    write_safetensors(
        path_,
        std::vector<TensorToWrite>{
            {"rows", TensorDtype::F32, {2, dim}, std::as_bytes(std::span(rows))},
            {"texts", TensorDtype::U8, {std::ssize(texts)}, std::as_bytes(std::span(texts))}});
    return Concepts::read(path_);
  }

  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "concepts.safetensors";
};

TEST_F(ConceptsTest, HasOneOrMoreTextsARow) {
  const Concepts concepts = read("zebra\tphoto of a zebra\ncup\n");
  EXPECT_EQ(concepts.dim(), 3);
  ASSERT_EQ(concepts.size(), 2U);
  EXPECT_THAT(concepts.texts(0), ElementsAre("zebra", "photo of a zebra"));
  EXPECT_THAT(concepts.texts(1), ElementsAre("cup"));
}

TEST_F(ConceptsTest, SaysWhatTheFileShouldHold) {
  EXPECT_THAT(test::message_of([&] { read("zebra"); }),
              HasSubstr("1 lines of texts, expected one for each of 2 rows"));
  EXPECT_THAT(test::message_of([&] { read("\ncup"); }), HasSubstr("line 1 of \"texts\" is empty"));
  const std::string bytes = "x";
  write_safetensors(
      path_, std::vector<TensorToWrite>{
                 {"texts", TensorDtype::U8, {std::ssize(bytes)}, std::as_bytes(std::span(bytes))}});
  EXPECT_THAT(test::message_of([&] { Concepts::read(path_); }), HasSubstr("a matrix \"rows\""));
}

TEST_F(ConceptsTest, PaintsAPartOfTheGridWithinTheRangeOfTheTower) {
  const Concepts concepts = read("zebra\ncup");
  const at::Tensor features = at::full({16, 3}, 4.0F);
  const at::Tensor painted = concepts.paint(features, {.concept_index = 0,
                                                       .top = 1,
                                                       .left = 2,
                                                       .height = 2,
                                                       .width = 1,
                                                       .background = 0.5,
                                                       .strength = 5});
  const at::Tensor inside = at::tensor({6.0F, 2.0F, 0.0F});  // 2 + 5, 2, 2 - 40; from 0 to 6
  const at::Tensor outside = at::full({3}, 2.0F);
  for (std::int64_t place = 0; place < 16; ++place) {
    const bool is_inside = place == 6 || place == 10;
    EXPECT_TRUE(at::equal(painted[place], is_inside ? inside : outside)) << place;
  }
  EXPECT_TRUE(at::equal(features, at::full({16, 3}, 4.0F)));
}

TEST_F(ConceptsTest, DrawsPartsThatLieInTheGrid) {
  const Concepts concepts = read("zebra\ncup");
  Random random(3);
  std::size_t of_second = 0;
  for (int i = 0; i < 200; ++i) {
    const Painting painting = concepts.draw(7, random);
    EXPECT_GE(painting.top, 0);
    EXPECT_LE(painting.top + painting.height, 7);
    EXPECT_GE(painting.left, 0);
    EXPECT_LE(painting.left + painting.width, 7);
    EXPECT_GE(std::min(painting.height, painting.width), 4);
    EXPECT_GE(painting.strength, 1);
    of_second += painting.concept_index;
  }
  EXPECT_GT(of_second, 60U);
  EXPECT_LT(of_second, 140U);
}

}  // namespace
}  // namespace aitqe
