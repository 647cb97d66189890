#include "aitqe/kernels/depthwise.h"

#include <algorithm>

#include "aitqe/kernels/cpu_dispatch.h"

namespace aitqe::kernels {

namespace {

/// Zeros in front of the first row (or column).
std::int64_t padding(std::int64_t size, std::int64_t out, const DepthwiseShape& shape) {
  return std::max<std::int64_t>(0, (out - 1) * shape.stride + shape.kernel - size) / 2;
}

}  // namespace

void depthwise_relu6(const float* x, std::int64_t images, const DepthwiseShape& shape,
                     const float* weights, const float* bias, float* y, ThreadPool& pool) {
  const std::int64_t out_height = shape.out_height();
  const std::int64_t out_width = shape.out_width();
  const std::int64_t top = padding(shape.height, out_height, shape);
  const std::int64_t left = padding(shape.width, out_width, shape);
  const auto& kernels = cpu_kernels();
  const auto out_row = [&](std::size_t task) {
    const std::int64_t image = static_cast<std::int64_t>(task) / out_height;
    const std::int64_t row = static_cast<std::int64_t>(task) % out_height;
    const float* from = x + image * shape.height * shape.width * shape.channels;
    float* to = y + static_cast<std::int64_t>(task) * out_width * shape.channels;
    for (std::int64_t column = 0; column < out_width; ++column, to += shape.channels) {
      std::copy_n(bias, shape.channels, to);
      for (std::int64_t i = 0; i < shape.kernel; ++i) {
        const std::int64_t in_row = row * shape.stride + i - top;
        if (in_row < 0 || in_row >= shape.height) continue;
        for (std::int64_t j = 0; j < shape.kernel; ++j) {
          const std::int64_t in_column = column * shape.stride + j - left;
          if (in_column < 0 || in_column >= shape.width) continue;
          kernels.multiply_add(from + (in_row * shape.width + in_column) * shape.channels,
                               weights + (i * shape.kernel + j) * shape.channels, shape.channels,
                               to);
        }
      }
      kernels.clamp(to, 0.0F, 6.0F, shape.channels);
    }
  };
  pool.parallel_for(static_cast<std::size_t>(images * out_height), out_row);
}

void relu6(float* x, std::int64_t count, ThreadPool& pool) {
  constexpr std::int64_t kValuesPerTask = 16384;
  const auto run = [&](std::size_t task) {
    const std::int64_t first = static_cast<std::int64_t>(task) * kValuesPerTask;
    cpu_kernels().clamp(x + first, 0.0F, 6.0F, std::min(kValuesPerTask, count - first));
  };
  pool.parallel_for(static_cast<std::size_t>((count + kValuesPerTask - 1) / kValuesPerTask), run);
}

}  // namespace aitqe::kernels
