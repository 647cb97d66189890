#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aitqe/base/random.h"

namespace aitqe {

/// Another word of the same kind, or nothing when `word` (lower case) is none: red -> blue. Plurals
/// of things give plurals.
std::optional<std::string> other_colour(std::string_view word, Random& random);
std::optional<std::string> other_count(std::string_view word, Random& random);
std::optional<std::string> other_object(std::string_view word, Random& random);

/// Names that cameras, phones and programs give to files, and placeholders of web pages.
std::string alt_text_junk(Random& random);

/// A sentence of a shop or site that could stand beside any picture.
std::string boilerplate(Random& random);

}  // namespace aitqe
