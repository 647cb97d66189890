#include "aitqe/base/version.h"

#include <gmock/gmock.h>

namespace aitqe {
namespace {

TEST(Version, IsThreeNumbers) {
  EXPECT_THAT(std::string(kVersion), testing::ContainsRegex(R"(^[0-9]+\.[0-9]+\.[0-9]+$)"));
}

}  // namespace
}  // namespace aitqe
