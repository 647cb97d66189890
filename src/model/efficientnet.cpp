#include <cstring>

#include "aitqe/kernels/depthwise.h"
#include "aitqe/model/vision_tower.h"
#include "aitqe/nn/linear.h"

namespace aitqe {

namespace {

const std::string kEfficientNetPrefix = "vision_model.";
constexpr std::int64_t kStemKernel = 3;
constexpr std::int64_t kStemStride = 2;

/// Zeros in front of an axis, as TensorFlow's SAME.
std::int64_t padding(std::int64_t size, std::int64_t kernel, std::int64_t stride) {
  const std::int64_t out = (size + stride - 1) / stride;
  return std::max<std::int64_t>(0, (out - 1) * stride + kernel - size) / 2;
}

nn::LinearWeights take_conv(TensorTable& tensors, const std::string& name,
                            std::vector<std::int64_t> shape) {
  nn::LinearWeights weights{tensors.take(kEfficientNetPrefix + name + ".weight", shape),
                            tensors.take(kEfficientNetPrefix + name + ".bias", {shape[0]})};
  weights.weight.shape = {shape[0], shape[1] * shape[2] * shape[3]};
  return weights;
}

/// One block of a stage.
struct BlockShape {
  std::int64_t inputs = 0;
  std::int64_t middle = 0;  ///< channels that the depthwise convolution sees
  std::int64_t outputs = 0;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
};

/// Images whose channels lie together: [images * side * side, channels].
struct Picture {
  at::Tensor rows;
  std::int64_t images = 0;
  std::int64_t side = 0;
};

/// Depthwise convolution with ReLU6.
class Depthwise {
 public:
  Depthwise(TensorTable& tensors, const std::string& name, const BlockShape& shape,
            std::shared_ptr<const nn::Compute> compute)
      : compute_(std::move(compute)), kernel_(shape.kernel), stride_(shape.stride) {
    const std::int64_t channels = shape.middle;
    const nn::LinearWeights weights = take_conv(tensors, name, {channels, 1, kernel_, kernel_});
    const at::Tensor by_channel =
        weights.weight.to_tensor(compute_->device, at::kFloat);  // [C, k * k]
    bias_ = weights.bias->to_tensor(compute_->device, at::kFloat);
    if (compute_->backend == nn::Backend::Kernels) {
      weight_ = by_channel.t().contiguous();  // [k * k, C]
    } else {
      weight_ = by_channel.view({channels, 1, kernel_, kernel_});
    }
  }

  Picture operator()(const Picture& x) const {
    const std::int64_t channels = x.rows.size(1);
    const kernels::DepthwiseShape shape{x.side, x.side, channels, kernel_, stride_};
    Picture y{{}, x.images, shape.out_height()};
    if (compute_->backend != nn::Backend::Kernels) {
      y.rows = with_aten(x, y.side);
      return y;
    }
    y.rows = at::empty({x.images * y.side * y.side, channels}, x.rows.options());
    kernels::depthwise_relu6(x.rows.const_data_ptr<float>(), x.images, shape,
                             weight_.const_data_ptr<float>(), bias_.const_data_ptr<float>(),
                             y.rows.mutable_data_ptr<float>(), *compute_->pool);
    return y;
  }

 private:
  at::Tensor with_aten(const Picture& x, std::int64_t out_side) const {
    const std::int64_t channels = x.rows.size(1);
    const std::int64_t before = padding(x.side, kernel_, stride_);
    const std::int64_t after =
        std::max<std::int64_t>(0, (out_side - 1) * stride_ + kernel_ - x.side) - before;
    const at::Tensor image = at::constant_pad_nd(
        x.rows.view({x.images, x.side, x.side, channels}).permute({0, 3, 1, 2}).to(at::kFloat),
        {before, after, before, after});
    return at::conv2d(image, weight_, bias_, {stride_, stride_}, at::IntArrayRef{0, 0}, {1, 1},
                      channels)
        .clamp(0, 6)
        .permute({0, 2, 3, 1})
        .reshape({-1, channels})
        .to(x.rows.scalar_type());
  }

  std::shared_ptr<const nn::Compute> compute_;
  std::int64_t kernel_;
  std::int64_t stride_;
  at::Tensor weight_;
  at::Tensor bias_;
};

at::Tensor relu6_of(const nn::Linear& linear, const at::Tensor& rows, const nn::Compute& compute) {
  if (compute.backend != nn::Backend::Kernels) return linear(rows).clamp_(0, 6);
  return linear.activated(rows, kernels::Activation::Relu6, compute.activation_dtype());
}

/// expand -> depthwise -> project, with the input added where shapes allow.
class Block {
 public:
  Block(TensorTable& tensors, const std::string& name, const BlockShape& shape,
        const std::shared_ptr<const nn::Compute>& compute)
      : compute_(compute),
        adds_input_(shape.stride == 1 && shape.inputs == shape.outputs),
        depthwise_(tensors, name + "depthwise", shape, compute),
        project_({take_conv(tensors, name + "project", {shape.outputs, shape.middle, 1, 1})},
                 compute) {
    if (shape.middle == shape.inputs) return;
    expand_.emplace(
        std::vector{take_conv(tensors, name + "expand", {shape.middle, shape.inputs, 1, 1})},
        compute);
  }

  Picture operator()(const Picture& x) const {
    Picture y = x;
    if (expand_) y.rows = relu6_of(*expand_, x.rows, *compute_);
    y = depthwise_(y);
    y.rows = project_(y.rows);
    if (adds_input_) y.rows.add_(x.rows);
    return y;
  }

 private:
  std::shared_ptr<const nn::Compute> compute_;
  bool adds_input_;
  std::optional<nn::Linear> expand_;
  Depthwise depthwise_;
  nn::Linear project_;
};

class EfficientnetTower : public VisionTower {
 public:
  EfficientnetTower(const VisionConfig& config, TensorTable& tensors,
                    std::shared_ptr<const nn::Compute> compute)
      : compute_(std::move(compute)),
        with_mean_(config.with_mean),
        stem_({take_conv(tensors, "stem", {config.stem_channels, 3, kStemKernel, kStemKernel})},
              compute_) {
    std::int64_t inputs = config.stem_channels;
    for (const ConvStage& stage : config.stages) {
      for (std::int64_t i = 0; i < stage.repeats; ++i) {
        const std::string name = "blocks." + std::to_string(blocks_.size()) + ".";
        const BlockShape shape{inputs, inputs * stage.expansion, stage.channels, stage.kernel,
                               i == 0 ? stage.stride : 1};
        blocks_.emplace_back(tensors, name, shape, compute_);
        inputs = stage.channels;
      }
    }
    head_.emplace(std::vector{take_conv(tensors, "head", {config.hidden_size, inputs, 1, 1})},
                  compute_);
  }

  at::Tensor operator()(const at::Tensor& pixels) const override {
    const std::int64_t images = pixels.size(0);
    if (compute_->backend != nn::Backend::Kernels || images <= kImagesTogether) return run(pixels);
    std::vector<at::Tensor> features;
    for (std::int64_t first = 0; first < images; first += kImagesTogether) {
      features.push_back(run(pixels.narrow(0, first, std::min(kImagesTogether, images - first))));
    }
    return at::cat(features);
  }

 private:
  /// Of as many images the widest layer stays in a cache.
  static constexpr std::int64_t kImagesTogether = 2;

  at::Tensor run(const at::Tensor& pixels) const {
    Picture x = stem(pixels);
    for (const Block& block : blocks_) x = block(x);
    at::Tensor features = relu6_of(*head_, x.rows, *compute_).view({x.images, x.side * x.side, -1});
    if (!with_mean_) return features;
    const at::Tensor mean = features.mean(1, /*keepdim=*/true, at::kFloat);
    return at::cat({features, mean.to(features.scalar_type())}, 1);
  }

  /// The first convolution as a product: every output's 27 inputs in a row.
  Picture stem(const at::Tensor& pixels) const {
    const std::int64_t images = pixels.size(0);
    const std::int64_t side = pixels.size(2);
    const std::int64_t out = (side + kStemStride - 1) / kStemStride;
    const std::int64_t before = padding(side, kStemKernel, kStemStride);
    const std::int64_t after =
        std::max<std::int64_t>(0, (out - 1) * kStemStride + kStemKernel - side) - before;
    const at::Tensor padded = at::constant_pad_nd(pixels, {before, after, before, after});
    const at::Tensor windows = padded.unfold(2, kStemKernel, kStemStride)
                                   .unfold(3, kStemKernel, kStemStride);  // [B, 3, out, out, k, k]
    const at::Tensor rows = windows.permute({0, 2, 3, 1, 4, 5})
                                .reshape({images * out * out, 3 * kStemKernel * kStemKernel})
                                .to(compute_->activation_dtype())
                                .contiguous();
    return {relu6_of(stem_, rows, *compute_), images, out};
  }

  std::shared_ptr<const nn::Compute> compute_;
  bool with_mean_;
  nn::Linear stem_;
  std::vector<Block> blocks_;
  std::optional<nn::Linear> head_;
};

}  // namespace

std::unique_ptr<VisionTower> make_efficientnet_tower(const ModelConfig& config,
                                                     TensorTable& tensors,
                                                     std::shared_ptr<const nn::Compute> compute) {
  return std::make_unique<EfficientnetTower>(config.vision, tensors, std::move(compute));
}

std::unique_ptr<VisionTower> make_vision_tower(const ModelConfig& config, TensorTable& tensors,
                                               std::shared_ptr<const nn::Compute> compute) {
  return config.vision.family == VisionFamily::EfficientnetLite
             ? make_efficientnet_tower(config, tensors, std::move(compute))
             : make_siglip_tower(config, tensors, std::move(compute));
}

}  // namespace aitqe
