#include "aitqe/base/error.h"

#include <gtest/gtest.h>

namespace aitqe {
namespace {

TEST(Error, KeepsItsCategoryAndMessage) {
  const Error error(ErrorCategory::Model, "model.safetensors: too short");
  EXPECT_EQ(error.category(), ErrorCategory::Model);
  EXPECT_STREQ(error.what(), "model.safetensors: too short");
}

TEST(ExitCode, FollowsTheDocumentedTable) {
  EXPECT_EQ(exit_code(ErrorCategory::Bug), 1);
  EXPECT_EQ(exit_code(ErrorCategory::Usage), 2);
  EXPECT_EQ(exit_code(ErrorCategory::Damaged), 3);
  EXPECT_EQ(exit_code(ErrorCategory::NoInput), 4);
  EXPECT_EQ(exit_code(ErrorCategory::Output), 5);
  EXPECT_EQ(exit_code(ErrorCategory::Model), 6);
  EXPECT_EQ(exit_code(ErrorCategory::Resumable), 75);
}

}  // namespace
}  // namespace aitqe
