#include "aitqe/model/adapter.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

class AdapterTest : public ::testing::Test {
 protected:
  AdapterTest() {
    adapter_.base_sha256 = "12ab";
    adapter_.low_rank["layer"] = {at::ones({2, 3}), at::full({4, 2}, 0.5F), 2.0};
    adapter_.changed["bias"] = at::full({4}, 0.25F);
  }

  std::string complaint() const {
    return test::message_of([&] { Adapter::read(folder_.path()); });
  }

  test::TemporaryFolder folder_;
  Adapter adapter_;
};

TEST_F(AdapterTest, IsReadAsItWasWritten) {
  adapter_.write(folder_.path());
  const Adapter read = Adapter::read(folder_.path());
  EXPECT_EQ(read.base_sha256, "12ab");
  ASSERT_EQ(read.low_rank.size(), 1U);
  const Adapter::LowRank& factors = read.low_rank.at("layer");
  EXPECT_TRUE(at::equal(factors.a, adapter_.low_rank["layer"].a));
  EXPECT_TRUE(at::equal(factors.b, adapter_.low_rank["layer"].b));
  EXPECT_EQ(factors.scale, 2.0);
  EXPECT_TRUE(at::equal(read.changed.at("bias"), adapter_.changed["bias"]));
  EXPECT_TRUE(at::equal(Adapter::added(factors, "layer", {4, 3}), at::full({4, 3}, 2.0F)));
}

TEST_F(AdapterTest, NamesTheLayerWhoseFactorsDoNotFit) {
  EXPECT_THAT(test::message_of([&] {
                Adapter::added(adapter_.low_rank["layer"], "layer", {3, 4});
              }),
              HasSubstr("low-rank factors of \"layer\" do not fit"));
  adapter_.low_rank["layer"].b = at::ones({4, 3});
  adapter_.write(folder_.path());
  EXPECT_THAT(complaint(), HasSubstr("low-rank factors of \"layer\" do not fit"));
}

TEST_F(AdapterTest, SaysWhatTheDescriptionShouldHold) {
  EXPECT_THAT(complaint(), HasSubstr("adapter.json: cannot be read"));
  folder_.write("adapter.json", R"({"schema": "other", "base_sha256": "", "lora_scale": {}})");
  EXPECT_THAT(complaint(), HasSubstr("expected schema aitqe.adapter/1"));
  folder_.write("adapter.json", "{");
  EXPECT_THAT(complaint(), HasSubstr("adapter.json: "));
}

TEST_F(AdapterTest, WantsAScaleForEveryLayer) {
  adapter_.write(folder_.path());
  folder_.write("adapter.json",
                R"({"schema": "aitqe.adapter/1", "base_sha256": "", "lora_scale": {}})");
  EXPECT_THAT(complaint(), HasSubstr("or have no scale"));
}

}  // namespace
}  // namespace aitqe
