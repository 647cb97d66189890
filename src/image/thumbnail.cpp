#include "aitqe/image/thumbnail.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "aitqe/base/error.h"
#include "aitqe/image/decode.h"
#include "aitqe/image/resize.h"

namespace aitqe {
namespace {

/// Scaled so that the longer side has `max_side_px`; never enlarged.
RgbImage shrunk(RgbImage image, int max_side_px) {
  const int longest_px = std::max(image.width_px, image.height_px);
  if (longest_px <= max_side_px) return image;
  const auto scaled = [&](int side_px) {
    const double exact = static_cast<double>(side_px) * max_side_px / longest_px;
    return std::max(1, static_cast<int>(std::lround(exact)));
  };
  return resize_bicubic(image, scaled(image.width_px), scaled(image.height_px));
}

}  // namespace

std::string make_thumbnail(std::string_view encoded, const ThumbnailOptions& options) {
  RgbImage image = shrunk(decode_rgb(encoded, options.limits), options.max_side_px);
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    std::swap(image.rgb[i], image.rgb[i + 2]);  // OpenCV takes blue first
  }
  const cv::Mat pixels(image.height_px, image.width_px, CV_8UC3, image.rgb.data());
  std::vector<unsigned char> jpeg;
  if (!cv::imencode(".jpg", pixels, jpeg, {cv::IMWRITE_JPEG_QUALITY, options.quality})) {
    throw SampleError("thumbnail: cannot be encoded");
  }
  return {jpeg.begin(), jpeg.end()};
}

}  // namespace aitqe
