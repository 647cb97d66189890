#pragma once

#include <string>
#include <string_view>

namespace aitqe {

/// Bytes of unknown origin as valid UTF-8, exactly as Python's
/// `bytes.decode("utf-8", errors="replace")`: one U+FFFD for each maximal part of a broken
/// character; nothing else changes (NUL, BOM and noncharacters stay). Linear time.
std::string repair_utf8(std::string_view bytes);

/// Whether `bytes` decode without replacement (no surrogates, no overlong forms, up to U+10FFFF).
bool is_valid_utf8(std::string_view bytes);

/// Unicode normalization form C, with the tables of the utf8proc it is linked to (Unicode 15 in
/// 2.8); checked against Python's `unicodedata` by `tokenizer_test.cpp`. NUL is a character like
/// any other. Time is n log n, also for a megabyte of combining marks in the wrong order.
/// @param utf8  valid UTF-8.
/// @throws Error(Bug) when it is not.
std::string nfc(std::string_view utf8);

/// Whether the general category of the character is L: Lu, Ll, Lt, Lm or Lo.
bool is_letter(char32_t code_point);

/// Whether its first character is a capital: of category Lu or Lt. Bytes that are no UTF-8 are
/// none.
bool begins_with_capital(std::string_view text);

/// Every character in lower case by itself (the simple mapping of UnicodeData.txt; no locale, no
/// final sigma). Bytes that are no UTF-8 stay as they are. Linear time.
std::string lower(std::string_view text);

/// Python's `str.strip()`: drops what `str.isspace()` calls white space at both ends, that is
/// Unicode White_Space plus U+001C to U+001F. The result points into `utf8`.
/// @param utf8  valid UTF-8.
std::string_view strip_python(std::string_view utf8);

}  // namespace aitqe
