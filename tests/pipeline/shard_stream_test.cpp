#include "aitqe/pipeline/shard_stream.h"

#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "support/reference.h"

namespace aitqe {
namespace {

using aitqe::test::source_dir;

class ShardStreamTest : public ::testing::Test {
 protected:
  ShardStreamTest() {
    ModelOptions options;
    options.folder = aitqe::test::reference_dir() / "drop-first-mixed";
    model_ = load_model(options);
  }
  LoadedModel model_;
  ShardRef shard_{(source_dir() / "examples/pairs-00000.tar").string(), "pairs-00000"};
};

TEST_F(ShardStreamTest, GivesAllPairsInOrderWhateverTheWorkers) {
  const Preparer prepare(model_, {});
  for (const int workers : {1, 3}) {
    ShardStream stream(shard_, prepare, {{}, {}, workers, 5});
    std::int64_t index = 0;
    while (const auto prepared = stream.next()) EXPECT_EQ(prepared->sample.index, index++);
    EXPECT_EQ(index, 300);
    EXPECT_TRUE(stream.losses().empty());
    EXPECT_TRUE(stream.take_leftovers().empty());
    EXPECT_GT(stream.bytes_read(), 1 << 20);
    EXPECT_EQ(stream.sha256().size(), 64U);
  }
}

TEST_F(ShardStreamTest, MayBeDroppedBeforeItsEnd) {
  const Preparer prepare(model_, {});
  ShardStream stream(shard_, prepare, {{}, {}, 2, 8});
  EXPECT_TRUE(stream.next().has_value());
}

TEST_F(ShardStreamTest, SaysWhenTheShardCannotBeOpened) {
  const Preparer prepare(model_, {});
  try {
    const ShardStream stream({"nowhere.tar", "nowhere"}, prepare, {{}, {}, 1, 1});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::NoInput);
  }
}

}  // namespace
}  // namespace aitqe
