#pragma once

#include <string_view>

#include "aitqe/quality/answer_keys.h"

namespace aitqe {

// Words of the machinery inside a text: what captions must not become, and what hostile ones hold.

/// Spells a special token: `<|im_end|>`, `<Overall>`, `<img_start>`, `</s>`, `[INST]`, ...
bool has_special_token(std::string_view text, const AnswerKeys& keys);

/// Holds words of our prompt, or a key of the answer with a colon behind it.
/// @param low  in lower case
bool has_prompt_marker(std::string_view low, const AnswerKeys& keys);

/// Whether a phrase of up to 8 words stands `repeats` times in a row.
bool has_loop(std::string_view text, std::size_t repeats);

}  // namespace aitqe
