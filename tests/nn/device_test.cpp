#include "aitqe/nn/device.h"

#include <gtest/gtest.h>

#include "aitqe/base/error.h"

namespace aitqe::nn {
namespace {

TEST(OpenDevice, TakesTheCpuForCpuAndAuto) {
  EXPECT_TRUE(open_device("cpu").is_cpu());
  EXPECT_TRUE(open_device("auto").is_cpu());
}

TEST(OpenDevice, RefusesWhatNamesNoDevice) {
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:1234", "CPU", ""}) {
    try {
      open_device(name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Usage) << name;
    }
  }
}

TEST(OpenDevices, GivesOneForEachName) {
  EXPECT_EQ(open_devices("cpu,cpu,auto").size(), 3U);
  EXPECT_EQ(open_devices("cpu").size(), 1U);
  EXPECT_THROW(open_devices(""), Error);
  EXPECT_THROW(open_devices("cpu,gpu"), Error);
  EXPECT_THROW(open_devices("cpu,,cpu"), Error);
}

}  // namespace
}  // namespace aitqe::nn
