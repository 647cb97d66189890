// Built in place of parquet_test.cpp where there is no Arrow.
#include <gtest/gtest.h>

#include "aitqe/base/error.h"
#include "aitqe/report/parquet.h"

namespace aitqe {
namespace {

TEST(ParquetWriter, SaysThatItIsNotBuiltIn) {
  EXPECT_FALSE(has_parquet());
  try {
    ParquetWriter writer([](std::string_view) {});
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Usage);
    EXPECT_NE(std::string(error.what()).find("built without Arrow"), std::string::npos);
  }
}

}  // namespace
}  // namespace aitqe
