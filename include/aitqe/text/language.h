#pragma once

#include <string_view>

namespace aitqe {

/// The language that a text is in, as a code of ISO 639 ("en", "zh", "zh-Hant"), as CLD2 guesses
/// it; "unknown" where it is not sure, as for most texts of one or two words, and for invalid
/// UTF-8. A guess about one caption is often wrong; of many captions the shares tell something. Any
/// threads.
std::string_view likely_language(std::string_view text);

}  // namespace aitqe
