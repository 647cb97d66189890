#pragma once

#include "aitqe/base/random.h"
#include "aitqe/image/decode.h"

namespace aitqe {

/// A random part of the picture, at least 3/4 of each side, half of the time mirrored left to
/// right. Not for pictures whose captions tell left from right. A function of image and `random`
/// alone; any number of threads.
RgbImage augment(const RgbImage& image, Random& random);

}  // namespace aitqe
