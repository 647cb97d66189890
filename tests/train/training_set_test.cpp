#include "aitqe/train/training_set.h"

#include <gmock/gmock.h>

#include <set>

#include "aitqe/contrast/contrast.h"
#include "io/io_support.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

ShardRef write_shard(const test::TemporaryFolder& folder, const std::string& name) {
  test::write_bytes(folder / ("in/" + name + ".tar"),
                    test::make_tar({{"a.jpg", "pixels of a"},
                                    {"a.txt", "a red apple on a table"},
                                    {"b.jpg", "pixels of b"},
                                    {"b.txt", "the old harbour at night"},
                                    {"c.jpg", "pixels of c"}}));
  return {(folder / ("in/" + name + ".tar")).string(), name};
}

TEST(TrainingSet, GathersTheTextsOfAnImageAndReadsItWhereItLies) {
  const test::TemporaryFolder folder;
  ContrastOptions options;
  options.shards = {write_shard(folder, "0"), write_shard(folder, "1")};
  options.output_folder = folder / "out";
  options.num_rounds = 2;
  contrast(options);
  const TrainingSet set = TrainingSet::read(
      {{(folder / "out/0.tar").string(), "0"}, {(folder / "out/1.tar").string(), "1"}}, {});
  ASSERT_EQ(set.size(), 4U);
  EXPECT_EQ(set.at(1).good.size(), 2U);
  EXPECT_EQ(set.at(1).bad.size(), 2U);
  EXPECT_EQ(set.at(1).good[0].caption, "the old harbour at night");
  EXPECT_EQ(set.image_bytes(1), "pixels of b");
  EXPECT_EQ(set.image_bytes(2), "pixels of a");
  EXPECT_EQ(set.at(2).key, "1/a-good");
}

TEST(TrainingSet, TakesPlainCaptionedShardsAsGood) {
  const test::TemporaryFolder folder;
  const TrainingSet set = TrainingSet::read({write_shard(folder, "0")}, {});
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set.at(0).good.size(), 1U);
  EXPECT_TRUE(set.at(0).bad.empty());
  ASSERT_EQ(set.unusable().count(), 1);
  EXPECT_THAT(set.unusable().render(""), HasSubstr("e.g. 0/c: no_"));
}

TEST(TrainingSet, NeedsPlainTarFiles) {
  EXPECT_THAT(test::message_of([] {
                TrainingSet::read({{"-", "stdin"}}, {});
              }),
              HasSubstr("plain .tar files only"));
}

TEST(Epochs, TakeEveryItemOnceAndGoOnAnywhere) {
  Epochs walk(10, 7);
  std::set<std::size_t> first;
  std::vector<std::size_t> order;
  for (std::int64_t place = 0; place < 20; ++place) order.push_back(walk.item(place));
  first.insert(order.begin(), order.begin() + 10);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_NE(std::vector(order.begin(), order.begin() + 10),
            std::vector(order.begin() + 10, order.end()));
  EXPECT_EQ(Epochs(10, 7).item(13), order[13]);
}

}  // namespace
}  // namespace aitqe
