#pragma once

#include <string_view>

namespace aitqe {

/// Whether Python's `json.loads` takes `text` (valid UTF-8). It differs from the standard: NaN and
/// the infinities are values, numbers have no bounds but 4300 digits of an integer, lone surrogate
/// escapes are fine, a BOM is not, and about a thousand levels of nesting are too many.
/// Never recursive; linear. Checked against CPython by `python_json_test.cpp`.
bool python_json_loads(std::string_view text);

}  // namespace aitqe
