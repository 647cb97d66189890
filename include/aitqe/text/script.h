#pragma once

#include <string_view>

namespace aitqe {

/// The script that most letters of a text are written in: "Latin", "Cyrillic", "Han", ...;
/// "other" for a script without a name here, "none" for a text without letters. Of equally many
/// the one met first. Says nothing of the language: French and Vietnamese are both "Latin".
/// @param bytes  invalid UTF-8 counts as no letter.
std::string_view dominant_script(std::string_view bytes);

}  // namespace aitqe
