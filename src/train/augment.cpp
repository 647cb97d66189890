#include "aitqe/train/augment.h"

#include <algorithm>

namespace aitqe {

namespace {

constexpr double kSmallestShare = 0.75;  // of a side

struct Span {
  int first = 0;
  int length = 0;
};

Span random_part(int side_px, Random& random) {
  const double share = kSmallestShare + (1 - kSmallestShare) * random.unit();
  const int length = std::clamp(static_cast<int>(share * side_px), 1, side_px);
  return {random.between(0, side_px - length), length};
}

}  // namespace

RgbImage augment(const RgbImage& image, Random& random) {
  const Span across = random_part(image.width_px, random);
  const Span down = random_part(image.height_px, random);
  const bool mirrored = random.unit() < 0.5;
  RgbImage part;
  part.width_px = across.length;
  part.height_px = down.length;
  part.rgb.resize(std::size_t{3} * static_cast<std::size_t>(across.length) *
                  static_cast<std::size_t>(down.length));
  auto to = part.rgb.begin();
  for (int y = 0; y < down.length; ++y) {
    const auto row =
        image.rgb.begin() +
        (static_cast<std::ptrdiff_t>(down.first + y) * image.width_px + across.first) * 3;
    for (int x = 0; x < across.length; ++x) {
      const int from = mirrored ? across.length - 1 - x : x;
      to = std::copy_n(row + static_cast<std::ptrdiff_t>(from) * 3, 3, to);
    }
  }
  return part;
}

}  // namespace aitqe
