#include "aitqe/engine/device_logits.h"

#include <gtest/gtest.h>

#include <limits>

#include "aitqe/engine/guide.h"
#include "support/device.h"

namespace aitqe {
namespace {

class DeviceLogitsOn : public ::testing::TestWithParam<const char*> {};

TEST_P(DeviceLogitsOn, SayOfARowWhatItsNumbersSay) {
  const auto device = test::device_if_there(GetParam());
  if (!device) GTEST_SKIP() << "no " << GetParam() << " device here";
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor logits = at::tensor({0.5F, 2.0F, -1.0F, 1.0F,               //
                                        -kInfinity, -3.0F, -kInfinity, -4.0F,  //
                                        1.0F, kNan, 0.0F, 0.0F,                //
                                        -kInfinity, -kInfinity, -kInfinity, -kInfinity})
                                .view({4, 4});
  const DeviceLogits on_device(logits.to(*device));
  const LogitsRows there{nullptr, 3, 4, &on_device, 1};  // rows 1 to 3
  const LogitsRows first_there{nullptr, 1, 4, &on_device, 0};
  const LogitsRows here{logits.const_data_ptr<float>(), 4, 4};
  EXPECT_EQ(first_there.largest(0), 1);
  EXPECT_EQ(there.largest(0), 1);
  for (std::int64_t row = 0; row < 3; ++row) {
    EXPECT_EQ(there.is_usable(row), here.is_usable(row + 1)) << row;
  }
  const std::vector<std::int32_t> ids{3, -1, 0};
  const std::vector<double> expected = here.probabilities(0, ids);
  const std::vector<double> found = first_there.probabilities(0, ids);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6);
  EXPECT_EQ(found[1], 0);
  EXPECT_EQ(first_there.top(0, 2).ids, (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(first_there.top(0, 9).values, (std::vector<float>{2.0F, 1.0F, 0.5F, -1.0F}));
  EXPECT_EQ(there.row(0)[3], -4.0F);
  EXPECT_EQ(there.last()[0], -kInfinity);
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceLogitsOn, ::testing::Values("cpu", "cuda"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace aitqe
