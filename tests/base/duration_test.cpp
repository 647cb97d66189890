#include "aitqe/base/duration.h"

#include <gtest/gtest.h>

#include <limits>

namespace aitqe {
namespace {

TEST(DurationText, NamesTheTwoLargestUnits) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(0.4), "0s");
  EXPECT_EQ(duration_text(42), "42s");
  EXPECT_EQ(duration_text(59.5), "1m 00s");
  EXPECT_EQ(duration_text(200), "3m 20s");
  EXPECT_EQ(duration_text(3600), "1h 00m");
  EXPECT_EQ(duration_text(7530), "2h 05m");
  EXPECT_EQ(duration_text(76 * 3600), "3d 04h");
}

TEST(DurationText, TakesWhatIsNoDuration) {
  EXPECT_EQ(duration_text(-5), "0s");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::quiet_NaN()), "0s");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "11574074074d 01h");
}

}  // namespace
}  // namespace aitqe
