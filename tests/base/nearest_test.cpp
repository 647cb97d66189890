#include "aitqe/base/nearest.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(Nearest, FindsTheWordWithTheFewestEdits) {
  const std::vector<std::string> known{"--threads", "--trace", "--workers"};
  EXPECT_EQ(nearest("--thread", known), "--threads");
  EXPECT_EQ(nearest("--wrokers", known), "--workers");
}

TEST(Nearest, TakesLettersThatChangedPlacesForOneSlip) {
  EXPECT_EQ(nearest("mna", {"man", "eval"}), "man");
  EXPECT_EQ(nearest("jugde", {"keep", "judge"}), "judge");
}

TEST(Nearest, AShortWordMayDifferByOneLetter) {
  EXPECT_EQ(nearest("bsh", {"bash"}), "bash");
  EXPECT_EQ(nearest("f64", {"f32"}), "");
}

TEST(Nearest, EndsAMessage) {
  EXPECT_EQ(did_you_mean("bsh", {"bash"}), "; did you mean bash?");
  EXPECT_EQ(did_you_mean("elephant", {"bash"}), "");
}

TEST(Nearest, FindsNothingWhereNothingIsClose) {
  EXPECT_EQ(nearest("--elephant", {"--threads"}), "");
  EXPECT_EQ(nearest("", {}), "");
}

}  // namespace
}  // namespace aitqe
