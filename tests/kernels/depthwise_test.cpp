#include "aitqe/kernels/depthwise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/random.h"

namespace aitqe::kernels {
namespace {

/// The definition, value by value, in double.
std::vector<float> by_definition(const std::vector<float>& x, std::int64_t images,
                                 const DepthwiseShape& s, const std::vector<float>& weights,
                                 const std::vector<float>& bias) {
  const std::int64_t out_h = s.out_height();
  const std::int64_t out_w = s.out_width();
  const std::int64_t top =
      std::max<std::int64_t>(0, (out_h - 1) * s.stride + s.kernel - s.height) / 2;
  const std::int64_t left =
      std::max<std::int64_t>(0, (out_w - 1) * s.stride + s.kernel - s.width) / 2;
  std::vector<float> y;
  for (std::int64_t image = 0; image < images; ++image) {
    for (std::int64_t row = 0; row < out_h; ++row) {
      for (std::int64_t column = 0; column < out_w; ++column) {
        for (std::int64_t c = 0; c < s.channels; ++c) {
          double sum = bias[static_cast<std::size_t>(c)];
          for (std::int64_t i = 0; i < s.kernel; ++i) {
            for (std::int64_t j = 0; j < s.kernel; ++j) {
              const std::int64_t r = row * s.stride + i - top;
              const std::int64_t k = column * s.stride + j - left;
              if (r < 0 || r >= s.height || k < 0 || k >= s.width) continue;
              const std::int64_t at = ((image * s.height + r) * s.width + k) * s.channels + c;
              sum += double{x[static_cast<std::size_t>(at)]} *
                     weights[static_cast<std::size_t>((i * s.kernel + j) * s.channels + c)];
            }
          }
          y.push_back(static_cast<float>(std::clamp(sum, 0.0, 6.0)));
        }
      }
    }
  }
  return y;
}

TEST(Depthwise, IsTheConvolutionWithTensorflowsPadding) {
  ThreadPool pool(2);
  for (const DepthwiseShape& shape :
       {DepthwiseShape{8, 8, 16, 3, 1}, DepthwiseShape{8, 8, 21, 3, 2},
        DepthwiseShape{7, 9, 5, 5, 2}, DepthwiseShape{6, 6, 40, 5, 1},
        DepthwiseShape{1, 1, 3, 3, 1}}) {
    const std::int64_t images = 2;
    const auto count =
        static_cast<std::size_t>(images * shape.height * shape.width * shape.channels);
    std::vector<float> x = test::random_floats(count, 1);
    for (float& value : x) value *= 10;
    const auto weights = test::random_floats(
        static_cast<std::size_t>(shape.kernel * shape.kernel * shape.channels), 2);
    const auto bias = test::random_floats(static_cast<std::size_t>(shape.channels), 3);
    const std::vector<float> expected = by_definition(x, images, shape, weights, bias);
    std::vector<float> y(expected.size());
    depthwise_relu6(x.data(), images, shape, weights.data(), bias.data(), y.data(), pool);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 2e-5) << i;

    // An image alone gives the same bits.
    std::vector<float> alone(y.size() / 2);
    depthwise_relu6(x.data() + count / 2, 1, shape, weights.data(), bias.data(), alone.data(),
                    pool);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), y.begin() + std::ssize(alone)));
  }
}

}  // namespace
}  // namespace aitqe::kernels
