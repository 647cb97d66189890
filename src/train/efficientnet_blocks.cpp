#include <algorithm>

#include "blocks.h"

namespace aitqe {

namespace {

struct ConvOptions {
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
};

/// A convolution with TensorFlow's SAME padding: the odd row of zeros goes behind.
at::Tensor conv(const Parameters& parameters, const at::Tensor& x, const std::string& name,
                const ConvOptions& options = {}) {
  const auto [kernel, stride, groups] = options;
  const std::int64_t side = x.size(2);
  const std::int64_t out = (side + stride - 1) / stride;
  const std::int64_t total = std::max<std::int64_t>(0, (out - 1) * stride + kernel - side);
  const std::int64_t before = total / 2;
  const at::Tensor padded =
      total == 0 ? x : at::constant_pad_nd(x, {before, total - before, before, total - before});
  return at::conv2d(padded, parameters.wide("vision_model." + name + ".weight"),
                    parameters.wide("vision_model." + name + ".bias"), {stride, stride},
                    at::IntArrayRef{0, 0}, {1, 1}, groups);
}

}  // namespace

at::Tensor efficientnet_features(const VisionConfig& config, const Parameters& parameters,
                                 const at::Tensor& pixels) {
  constexpr std::int64_t kStemKernel = 3;
  at::Tensor x = conv(parameters, pixels, "stem", {kStemKernel, 2}).clamp(0, 6);
  std::int64_t block = 0;
  for (const ConvStage& stage : config.stages) {
    for (std::int64_t i = 0; i < stage.repeats; ++i, ++block) {
      const std::string name = "blocks." + std::to_string(block) + ".";
      const std::int64_t stride = i == 0 ? stage.stride : 1;
      at::Tensor y = x;
      if (stage.expansion != 1) y = conv(parameters, y, name + "expand").clamp(0, 6);
      y = conv(parameters, y, name + "depthwise", {stage.kernel, stride, y.size(1)}).clamp(0, 6);
      y = conv(parameters, y, name + "project");
      x = stride == 1 && x.size(1) == y.size(1) ? x + y : y;
    }
  }
  return conv(parameters, x, "head").clamp(0, 6).flatten(2).transpose(1, 2);
}

}  // namespace aitqe
