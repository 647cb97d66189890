#include <algorithm>
#include <cmath>

#include "resize_kernels.h"

// Built without contraction of a * b + c (CMakeLists.txt): a fused operation rounds once, Pillow's
// code twice, and the last bit decides how a weight is rounded.
namespace aitqe {
namespace {

constexpr double kSupport = 2.0;  // inputs on each side, at scale 1

/// Keys' cubic with a = -0.5, in the order of operations of Pillow 12.3 `bicubic_filter`.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

std::int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

void split_weights(AxisWeights& axis) {
  axis.split.resize(2 * axis.weights.size());
  for (std::size_t i = 0; i < axis.weights.size(); ++i) {
    const std::int32_t weight = axis.weights[i];
    std::int16_t* group = axis.split.data() + i / 4 * 8;
    group[i % 4] = static_cast<std::int16_t>(weight & ((1 << kLowBits) - 1));
    group[4 + i % 4] = static_cast<std::int16_t>(weight >> kLowBits);
  }
}

}  // namespace

/// Source: Pillow 12.3 src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc.
AxisWeights bicubic_weights(int num_inputs, int num_outputs) {
  const double scale = static_cast<double>(num_inputs) / num_outputs;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kSupport * filter_scale;
  const double step = 1.0 / filter_scale;

  AxisWeights axis;
  axis.num_outputs = num_outputs;
  axis.stride = (static_cast<int>(std::ceil(support)) * 2 + 1 + 3) / 4 * 4;
  axis.weights.resize(static_cast<std::size_t>(num_outputs) *
                      static_cast<std::size_t>(axis.stride));
  std::vector<double> exact(static_cast<std::size_t>(axis.stride));
  for (int output = 0; output < num_outputs; ++output) {
    const double center = (output + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), num_inputs) - first;
    double sum = 0.0;
    for (int i = 0; i < count; ++i) {
      const double weight = cubic((i + first - center + 0.5) * step);
      exact[static_cast<std::size_t>(i)] = weight;
      sum += weight;
    }
    std::int32_t* weights = axis.weights.data() + static_cast<std::size_t>(output) *
                                                      static_cast<std::size_t>(axis.stride);
    for (int i = 0; i < count; ++i) {
      const double weight = exact[static_cast<std::size_t>(i)];
      weights[i] = to_fixed(sum != 0.0 ? weight / sum : weight);
    }
    axis.firsts.push_back(first);
    axis.counts.push_back(count);
  }
  split_weights(axis);
  return axis;
}

}  // namespace aitqe
