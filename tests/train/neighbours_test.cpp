#include "aitqe/train/neighbours.h"

#include <gmock/gmock.h>

#include <set>

namespace aitqe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(NeighboursTest, AreTheNearestByCosineTheNearestFirst) {
  const at::Tensor vectors =
      at::tensor({1.0F, 0.0F, 0.0F, 0.8F, 0.6F, 0.0F, 1.0F, 3.0F, 0.0F, 0.0F, 0.0F, 2.0F})
          .view({4, 3});
  const Neighbours near(vectors);
  EXPECT_THAT(near.of(0), ElementsAre(1, 2));  // 0.8 and 0.316; nothing in common with the last
  EXPECT_THAT(near.of(1), ElementsAre(2, 0));  // 0.822, length apart
  EXPECT_THAT(near.of(3), IsEmpty());
}

TEST(NeighboursTest, AreNotThoseThatSayTheSame) {
  const at::Tensor vectors =
      at::tensor({1.0F, 0.0F, 0.99F, 0.1F, 0.6F, 0.8F, 0.0F, 0.0F}).view({4, 2});
  const Neighbours near(vectors);
  EXPECT_THAT(near.of(0), ElementsAre(2));
  EXPECT_THAT(near.of(2), ElementsAre(1, 0));
  EXPECT_THAT(near.of(3), IsEmpty());  // has no vector
}

TEST(NeighboursTest, DrawnTogetherDoNotSayTheSameEither) {
  const at::Tensor vectors =
      at::tensor({1.0F, 0.0F, 0.8F, 0.6F, 0.79F, 0.62F, 0.8F, -0.6F}).view({4, 2});
  const Neighbours near(vectors);
  EXPECT_EQ(near.count(), 4);
  ASSERT_THAT(near.of(0), SizeIs(3));
  for (int seed = 0; seed < 8; ++seed) {
    const auto drawn = near.draw(0, 3, Random(static_cast<std::uint64_t>(seed)));
    ASSERT_THAT(drawn, SizeIs(2));  // one of 1 and 2, which are alike, and 3
    EXPECT_THAT(drawn, testing::Contains(3U));
  }
}

TEST(NeighboursTest, AreTheSameInManyRowsAsInAFew) {
  Random random(1);
  std::vector<float> values;
  for (int i = 0; i < 2500 * 4; ++i) values.push_back(static_cast<float>(random.unit()) - 0.5F);
  const at::Tensor vectors = at::tensor(values).view({2500, 4});
  const Neighbours near(vectors);
  const at::Tensor unit = vectors / vectors.norm(2, {1}, true);
  for (const std::int64_t row : {0, 1023, 1024, 2499}) {
    const auto& nearest = near.of(static_cast<std::size_t>(row));
    ASSERT_THAT(nearest, SizeIs(Neighbours::kNearest));
    at::Tensor cosines = at::mv(unit, unit[row]);
    cosines[row] = 0;
    cosines.masked_fill_(cosines >= Neighbours::kSame, 0);
    EXPECT_EQ(nearest[0], static_cast<std::size_t>(cosines.argmax().item<std::int64_t>()));
  }
}

TEST(NeighboursTest, AreDrawnWithoutRepetitionByTheSeedAlone) {
  Random values(2);
  at::Tensor vectors = at::empty({200, 8}, at::kFloat);
  for (std::int64_t i = 0; i < vectors.numel(); ++i) {
    vectors.mutable_data_ptr<float>()[i] = static_cast<float>(values.unit()) - 0.5F;
  }
  const Neighbours near(vectors);
  ASSERT_THAT(near.of(7), SizeIs(Neighbours::kNearest));
  const std::vector<std::size_t> drawn = near.draw(7, 5, Random(3));
  EXPECT_THAT(std::set(drawn.begin(), drawn.end()), SizeIs(5));
  EXPECT_EQ(near.draw(7, 5, Random(3)), drawn);
  EXPECT_NE(near.draw(7, 5, Random(4)), drawn);
  EXPECT_THAT(near.draw(7, 100, Random(3)), SizeIs(Neighbours::kNearest));
}

}  // namespace
}  // namespace aitqe
