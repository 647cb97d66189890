#pragma once

#include <cstdint>

#include "aitqe/base/thread_pool.h"

namespace aitqe::kernels {

/// A convolution that keeps channels apart, on images whose channels lie together.
struct DepthwiseShape {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t channels = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;

  /// Padding as TensorFlow's SAME: outputs are ceil(size / stride), and the odd row of zeros goes
  /// behind.
  std::int64_t out_height() const { return (height + stride - 1) / stride; }
  std::int64_t out_width() const { return (width + stride - 1) / stride; }
};

/// y = min(max(conv(x) + bias, 0), 6) for `images` images. f32; every value's bits depend on its
/// own image alone.
/// @param x        [images, height, width, channels]
/// @param weights  [kernel * kernel, channels]
/// @param bias     [channels]
/// @param y        [images, out_height, out_width, channels]
void depthwise_relu6(const float* x, std::int64_t images, const DepthwiseShape& shape,
                     const float* weights, const float* bias, float* y, ThreadPool& pool);

}  // namespace aitqe::kernels
