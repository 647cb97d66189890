#include "aitqe/image/resize.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "resize_kernels.h"

namespace aitqe {
namespace {

/// Rows of an image that may lie anywhere; what one pass hands to the next.
struct Rows {
  const std::uint8_t* data = nullptr;
  std::size_t stride = 0;
  const std::uint8_t* operator[](int row) const {
    return data + static_cast<std::size_t>(row) * stride;
  }
};

/// Rows [first, last) of `image`, resized across; `slack` bytes after each.
class AcrossPass {
 public:
  AcrossPass(const RgbImage& image, int width_px, bool use_avx2)
      : image_(image),
        row_bytes_(std::size_t{3} * static_cast<std::size_t>(image.width_px)),
        axis_(bicubic_weights(image.width_px, width_px)),
        stride_(std::size_t{3} * static_cast<std::size_t>(width_px) + kRowSlackBytes),
        block_(use_avx2 ? resize_row_block_avx2 : resize_row_block) {}

  Rows run(int first, int last) {
    out_.resize(stride_ * static_cast<std::size_t>(last - first));
    for (int row = first; row < last; row += static_cast<int>(kBlockRows)) {
      std::array<const std::uint8_t*, kBlockRows> from{};
      std::array<std::uint8_t*, kBlockRows> to{};
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        const int clamped = std::min(row + static_cast<int>(i), last - 1);  // the last one repeats
        from[i] = input_row(clamped, i);
        to[i] = out_.data() + stride_ * static_cast<std::size_t>(clamped - first);
      }
      block_(from.data(), to.data(), axis_);
    }
    return {out_.data(), stride_};
  }

 private:
  /// The row itself, or a copy where reading past its end would leave the image.
  const std::uint8_t* input_row(int row, std::size_t slot) {
    const std::size_t begin = row_bytes_ * static_cast<std::size_t>(row);
    if (begin + row_bytes_ + kRowSlackBytes <= image_.rgb.size()) return image_.rgb.data() + begin;
    std::vector<std::uint8_t>& copy = copies_[slot];
    copy.resize(row_bytes_ + kRowSlackBytes);
    std::memcpy(copy.data(), image_.rgb.data() + begin, row_bytes_);
    return copy.data();
  }

  const RgbImage& image_;
  std::size_t row_bytes_;
  AxisWeights axis_;
  std::size_t stride_;
  void (*block_)(const std::uint8_t* const*, std::uint8_t* const*, const AxisWeights&);
  std::vector<std::uint8_t> out_;
  std::array<std::vector<std::uint8_t>, kBlockRows> copies_;
};

/// `rows` holds input rows from `first_row` on.
void resize_down(const Rows& rows, int first_row, const AxisWeights& axis, RgbImage& result,
                 bool use_avx2) {
  const std::size_t row_bytes = std::size_t{3} * static_cast<std::size_t>(result.width_px);
  std::vector<const std::uint8_t*> inputs;
  for (int y = 0; y < result.height_px; ++y) {
    const std::size_t index = static_cast<std::size_t>(y);
    inputs.clear();
    for (int i = 0; i < axis.counts[index]; ++i) {
      inputs.push_back(rows[axis.firsts[index] - first_row + i]);
    }
    const Columns columns{inputs.data(), axis.of(y), axis.counts[index],
                          result.rgb.data() + index * row_bytes};
    (use_avx2 ? resize_columns_avx2 : resize_columns)(columns, 0, row_bytes);
  }
}

}  // namespace

RgbImage resize_bicubic(const RgbImage& image, int width_px, int height_px, ResizeKernel kernel) {
  assert(width_px >= 1 && height_px >= 1 && image.width_px >= 1 && image.height_px >= 1);
  const bool across = width_px != image.width_px;
  const bool down = height_px != image.height_px;
  if (!across && !down) return image;

  const bool use_avx2 = kernel == ResizeKernel::Fastest && cpu_has_avx2();
  const std::size_t row_bytes = std::size_t{3} * static_cast<std::size_t>(width_px);
  RgbImage result{width_px, height_px,
                  std::vector<std::uint8_t>(row_bytes * static_cast<std::size_t>(height_px))};
  if (!across) {
    const Rows rows{image.rgb.data(), row_bytes};
    resize_down(rows, 0, bicubic_weights(image.height_px, height_px), result, use_avx2);
    return result;
  }
  AcrossPass pass(image, width_px, use_avx2);
  if (!down) {
    const Rows rows = pass.run(0, height_px);
    for (int y = 0; y < height_px; ++y) {
      std::memcpy(result.rgb.data() + row_bytes * static_cast<std::size_t>(y), rows[y], row_bytes);
    }
    return result;
  }
  const AxisWeights axis = bicubic_weights(image.height_px, height_px);
  const int first_row = axis.firsts.front();
  const int last_row = axis.firsts.back() + axis.counts.back();
  resize_down(pass.run(first_row, last_row), first_row, axis, result, use_avx2);
  return result;
}

}  // namespace aitqe
