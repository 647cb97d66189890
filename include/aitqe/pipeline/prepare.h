#pragma once

#include <memory>

#include "aitqe/data/caption.h"
#include "aitqe/image/limits.h"
#include "aitqe/pipeline/loaded_model.h"
#include "aitqe/pipeline/types.h"
#include "aitqe/quality/injection.h"

namespace aitqe {

struct PrepareOptions {
  CaptionSource caption_source;
  CaptionSpecials caption_specials = CaptionSpecials::AsText;
  ImageLimits image_limits;
  /// Longer prompts fail their pair in stage "prompt". At least 1.
  std::int64_t max_prompt_tokens = 12288;
  /// With Fail a suspect caption fails its pair in stage "caption"; no model sees it.
  OnInjection on_injection = OnInjection::Judge;
  bool with_pixels_sha256 = false;
};

/// Sample -> PreparedSample: caption, image and prompt. What cannot be used becomes a failure of
/// that one pair. Immutable; any number of threads.
class Preparer {
 public:
  Preparer(const LoadedModel& model, PrepareOptions options);
  PreparedSample operator()(Sample sample) const;

 private:
  const LoadedModel& model_;
  PrepareOptions options_;
};

}  // namespace aitqe
