#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aitqe/engine/guide.h"

namespace aitqe {

/// Stands in Request::prompt where one image feature goes.
inline constexpr std::int32_t kImageFeature = -1;

/// One sequence to run.
struct Request {
  std::int64_t id = 0;  ///< given back with the result
  /// Token ids; every kImageFeature takes the next feature of the image.
  std::vector<std::int32_t> prompt;
  /// Tokens at the start of the prompt that any other question about the image begins with too.
  std::int64_t num_image_tokens = 0;
  at::Tensor pixels;  ///< [3, S, S] f32 on the CPU; undefined for a prompt without image
  /// Tokens that the guide may feed behind the prompt, looks ahead included.
  std::int64_t max_new_tokens = 0;
  std::unique_ptr<Guide> guide;
};

/// A finished request. `guide` holds what it found.
struct Finished {
  std::int64_t id = 0;
  std::unique_ptr<Guide> guide;
  std::string failure;  ///< empty unless the sequence could not go on
};

}  // namespace aitqe
