#include "aitqe/pipeline/device_error.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aitqe/base/error.h"

namespace aitqe {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What a thrown exception becomes: its category and its message.
template <typename Exception>
std::pair<ErrorCategory, std::string> become(const Exception& thrown) {
  try {
    std::rethrow_exception(as_error(std::make_exception_ptr(thrown)));
  } catch (const Error& error) {
    return {error.category(), error.what()};
  } catch (const std::exception& error) {
    return {ErrorCategory::Bug, error.what()};
  }
}

TEST(AsError, MemoryThatRanOutNamesWhatNeedsLess) {
  const std::string message =
      "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1 GiB";
  const auto [category, told] = become(c10::OutOfMemoryError({__func__, __FILE__, 0}, message));
  EXPECT_EQ(category, ErrorCategory::Resumable);
  EXPECT_THAT(told, HasSubstr("Tried to allocate 2.00 GiB"));
  EXPECT_THAT(told, HasSubstr("--batch-size"));
}

TEST(AsError, SoDoesThatOfACpu) {
  const auto [category, told] = become(
      c10::Error({__func__, __FILE__, 0}, "DefaultCPUAllocator: can't allocate memory: you tried"));
  EXPECT_EQ(category, ErrorCategory::Resumable);
}

TEST(AsError, ALostDeviceIsOneLineWithoutAdviceToDebug) {
  const auto [category, told] = become(
      c10::Error({__func__, __FILE__, 0},
                 "CUDA error: unspecified launch failure\nCompile with `TORCH_USE_CUDA_DSA`"));
  EXPECT_EQ(category, ErrorCategory::Resumable);
  EXPECT_THAT(told, HasSubstr("unspecified launch failure"));
  EXPECT_THAT(told, Not(HasSubstr("\n")));
}

TEST(AsError, AnythingElseStaysWhatItIs) {
  EXPECT_EQ(become(Error(ErrorCategory::Output, "full")).first, ErrorCategory::Output);
  EXPECT_EQ(become(c10::Error({__func__, __FILE__, 0}, "shapes do not fit")).first,
            ErrorCategory::Bug);
  EXPECT_EQ(become(std::bad_alloc()).first, ErrorCategory::Bug);
}

}  // namespace
}  // namespace aitqe
