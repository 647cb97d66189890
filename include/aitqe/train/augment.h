#pragma once

#include "aitqe/base/random.h"
#include "aitqe/image/decode.h"

namespace aitqe {

/// What a picture shows stays what it is under a slightly other frame, and in a mirror more often
/// than not: a random part of at least 3/4 of each side, half of the time mirrored left to right.
/// A function of image and `random` alone; any number of threads.
RgbImage augment(const RgbImage& image, Random& random);

}  // namespace aitqe
