#pragma once

#include <string_view>

namespace aitqe {

/// Whether a text holds words in a code that people do not read: base64 or hexadecimal that decodes
/// to words of ASCII, or eight letters in a row as percent codes (%69), escapes (\u0069) or
/// character references (&#105;). Names of files, hashes and identifiers are none: they decode to
/// no words.
bool has_encoded_words(std::string_view text);

}  // namespace aitqe
