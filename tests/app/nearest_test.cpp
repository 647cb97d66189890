#include "app/nearest.h"

#include <gtest/gtest.h>

namespace aitqe::app {
namespace {

TEST(Nearest, FindsTheWordWithTheFewestEdits) {
  const std::vector<std::string> known{"--threads", "--trace", "--workers"};
  EXPECT_EQ(nearest("--thread", known), "--threads");
  EXPECT_EQ(nearest("--wrokers", known), "--workers");
}

TEST(Nearest, FindsNothingWhereNothingIsClose) {
  EXPECT_EQ(nearest("--elephant", {"--threads"}), "");
  EXPECT_EQ(nearest("", {}), "");
}

}  // namespace
}  // namespace aitqe::app
