#pragma once

#include <string>
#include <string_view>

namespace aitqe {

/// A text as a reader takes it, for looking for words in it: lower case, without accents and other
/// marks, compatibility forms (full-width, mathematical, circled letters) as the letters they stand
/// for, Cyrillic and Greek letters that look, small or capital, like Latin ones as these,
/// characters that nobody sees left out, and each run of white space as one blank. Folding both
/// sides makes them comparable; the result is no text for people.
/// @param bytes  invalid UTF-8 is folded as U+FFFD. Linear time, also in runs of combining marks.
std::string fold_lookalikes(std::string_view bytes);

/// Whether a text hides characters from who reads it: a zero-width character between two ASCII
/// letters, three zero-width spaces, joiners or marks in a row, tag characters that are no part of
/// a flag, or a control that reorders text: U+202D and U+202E, and where no letter is written from
/// right to left the others too (U+202A..C, U+2066..9). Emoji sequences, and joiners inside scripts
/// that need them, hide nothing.
bool has_hidden_characters(std::string_view bytes);

/// Whether one word mixes ASCII letters with Cyrillic or Greek ones that look like Latin letters:
/// "pаypal" with a Cyrillic "а". Units and symbols such as "µm" and "kΩ" do not.
bool has_mixed_script_word(std::string_view bytes);

}  // namespace aitqe
