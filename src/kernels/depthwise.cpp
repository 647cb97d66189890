#include "aitqe/kernels/depthwise.h"

#include <algorithm>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

namespace {

/// Zeros in front of the first row (or column).
std::int64_t padding(std::int64_t size, std::int64_t out, const DepthwiseShape& shape) {
  return std::max<std::int64_t>(0, (out - 1) * shape.stride + shape.kernel - size) / 2;
}

/// What one output looks at.
struct Window {
  const float* weights;
  const DepthwiseShape& shape;
  std::int64_t top;   ///< zeros above the first row
  std::int64_t left;  ///< zeros before the first column

  /// Adds the products of the output at (row, column) of an image.
  void add(const float* image, std::int64_t row, std::int64_t column, float* to) const {
    for (std::int64_t i = 0; i < shape.kernel; ++i) {
      const std::int64_t in_row = row * shape.stride + i - top;
      if (in_row < 0 || in_row >= shape.height) continue;
      const std::int64_t first = column * shape.stride - left;
      const std::int64_t begin = std::max<std::int64_t>(0, -first);
      const std::int64_t end = std::min(shape.kernel, shape.width - first);
      for (std::int64_t j = begin; j < end; ++j) {
        cpu_kernels().multiply_add(image + (in_row * shape.width + first + j) * shape.channels,
                                   weights + (i * shape.kernel + j) * shape.channels,
                                   shape.channels, to);
      }
    }
  }
};

}  // namespace

void depthwise_relu6(const float* x, std::int64_t images, const DepthwiseShape& shape,
                     const float* weights, const float* bias, float* y, ThreadPool& pool) {
  const std::int64_t out_height = shape.out_height();
  const std::int64_t out_width = shape.out_width();
  const Window window{weights, shape, padding(shape.height, out_height, shape),
                      padding(shape.width, out_width, shape)};
  const auto out_row = [&](std::size_t task) {
    const std::int64_t image = static_cast<std::int64_t>(task) / out_height;
    const std::int64_t row = static_cast<std::int64_t>(task) % out_height;
    const float* from = x + image * shape.height * shape.width * shape.channels;
    float* to = y + static_cast<std::int64_t>(task) * out_width * shape.channels;
    for (std::int64_t column = 0; column < out_width; ++column, to += shape.channels) {
      std::copy_n(bias, shape.channels, to);
      window.add(from, row, column, to);
      cpu_kernels().clamp(to, 0.0F, 6.0F, shape.channels);
    }
  };
  pool.parallel_for(static_cast<std::size_t>(images * out_height), out_row);
}

}  // namespace aitqe::kernels
