#include "aitqe/contrast/flaw.h"

#include <gmock/gmock.h>

#include <map>

#include "aitqe/base/error.h"
#include "support/errors.h"

namespace aitqe {
namespace {

using ::testing::HasSubstr;

TEST(FlawMix, TakesNamesWeightsAndExceptions) {
  const FlawMix some = FlawMix::parse("other_image,near_miss=3");
  EXPECT_GT(some.weight(Flaw::OtherImage), 0);
  EXPECT_EQ(some.weight(Flaw::NearMiss), 3);
  EXPECT_EQ(some.weight(Flaw::Shuffled), 0);

  const FlawMix all_but_one = FlawMix::parse("all,-shuffled");
  EXPECT_EQ(all_but_one.weight(Flaw::Shuffled), 0);
  EXPECT_GT(all_but_one.weight(Flaw::Truncated), 0);
  EXPECT_EQ(FlawMix::parse("-shuffled").to_string(), all_but_one.to_string());
}

TEST(FlawMix, IsReadBackFromItsOwnText) {
  const std::string text = FlawMix().to_string();
  EXPECT_EQ(FlawMix::parse(text).to_string(), text);
}

TEST(FlawMix, RefusesWhatItDoesNotKnow) {
  const auto complaint = [](const char* text) {
    return test::message_of([&] { FlawMix::parse(text); });
  };
  EXPECT_THAT(complaint("other_imgae"),
              HasSubstr("\"other_imgae\" is no flaw; there are other_image"));
  EXPECT_THAT(complaint("shuffled=-1"), HasSubstr("expected a weight"));
  EXPECT_THAT(complaint("none"), HasSubstr("no flaw is left"));
  EXPECT_THAT(complaint("other_image,-other_image"), HasSubstr("no flaw is left"));
}

TEST(FlawMix, PutsHeavyFlawsInFrontInProportion) {
  const FlawMix mix = FlawMix::parse("other_image=3,truncated=1");
  Random random(5);
  std::map<Flaw, int> first;
  for (int i = 0; i < 4000; ++i) ++first[mix.order(random).front()];
  EXPECT_NEAR(first[Flaw::OtherImage] / 4000.0, 0.75, 0.03);
  EXPECT_EQ(mix.order(random).size(), 2U);
}

TEST(Flaw, NamesAreReadBack) {
  for (std::size_t i = 0; i < kNumFlaws; ++i) {
    const auto flaw = static_cast<Flaw>(i);
    EXPECT_EQ(parse_flaw(flaw_name(flaw)), flaw);
  }
}

}  // namespace
}  // namespace aitqe
