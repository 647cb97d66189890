#include "aitqe/pipeline/prepare.h"

#include <algorithm>
#include <cctype>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"

namespace aitqe {

namespace {

/// Runs one stage; a SampleError in it becomes the pair's failure. False once a stage has failed.
template <typename Stage>
bool attempt(PreparedSample& prepared, const char* stage, const Stage& run) {
  if (prepared.failure) return false;
  try {
    run();
  } catch (const SampleError& error) {
    prepared.failure = RowFailure{stage, error.what()};
  }
  return !prepared.failure;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace

Preparer::Preparer(const LoadedModel& model, PrepareOptions options)
    : model_(model), options_(std::move(options)) {}

PreparedSample Preparer::operator()(Sample sample) const {
  PreparedSample prepared;
  prepared.sample = std::move(sample);
  const Member* image = find_image(prepared.sample);
  if (image != nullptr) prepared.image.sha256 = sha256_hex(image->bytes);

  // The caption is read first and whatever else is wrong, so that the row can show it.
  std::optional<RowFailure> caption_failure;
  attempt(prepared, "caption", [&] {
    prepared.caption = read_caption(prepared.sample, options_.caption_source);
    prepared.caption_present = true;
    prepared.injection_sign =
        find_injection_sign(prepared.caption, model_.prompts->prompt_template().keys);
    if (prepared.injection_sign && options_.on_injection == OnInjection::Fail) {
      throw SampleError("injection_suspect: sign " +
                        std::string(injection_sign_code(*prepared.injection_sign)) +
                        " (--on-injection fail)");
    }
  });
  std::swap(caption_failure, prepared.failure);

  attempt(prepared, "sample", [&] {
    if (prepared.sample.problems.empty()) return;
    throw SampleError(std::string(to_string(prepared.sample.problems.front())) + ": members " +
                      describe_members(prepared.sample));
  });
  attempt(prepared, "image", [&] {
    if (image == nullptr) {
      throw SampleError("no_image: members are " + describe_members(prepared.sample));
    }
    const ImageHeader header = read_header(image->bytes);
    prepared.image.width = header.width_px;
    prepared.image.height = header.height_px;
    prepared.image.format = lower(name(header.format));
    prepared.pixels =
        prepare_image(image->bytes, model_.image_side_px, model_.pixel_norm, options_.image_limits)
            .pixels;
    if (options_.with_pixels_sha256) prepared.pixels_sha256 = pixels_sha256(prepared.pixels);
  });
  if (!prepared.failure) prepared.failure = caption_failure;
  attempt(prepared, "prompt", [&] {
    Prompt prompt = model_.prompts->build(prepared.caption, options_.caption_specials);
    prepared.special_token_in_caption = prompt.special_token_in_caption;
    const auto tokens = static_cast<std::int64_t>(prompt.ids.size());
    if (tokens > options_.max_prompt_tokens) {
      throw SampleError("prompt_too_long: " + std::to_string(tokens) + " tokens, limit is " +
                        std::to_string(options_.max_prompt_tokens) + " (--max-prompt-tokens)");
    }
    prepared.prompt = std::move(prompt.ids);
  });
  return prepared;
}

}  // namespace aitqe
