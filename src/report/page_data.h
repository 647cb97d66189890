#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "aitqe/report/report.h"

namespace aitqe {

/// JSON that cannot end the script element it stands in, nor open another: `<`, `>` and `&`
/// escaped.
std::string script_safe(std::string_view json);

/// The data of report.html, script_safe: `aitqe report --json` with what grows with the run cut,
/// and with as many pairs from the front of the gallery as there is room for.
/// @param most_bytes  of the result; what is not the gallery takes up to about 2 MB of them
std::string page_data(const RunReport& report, std::size_t most_bytes);

/// A command of which the arguments in the middle are left out, so that it takes up at most about
/// `most_bytes` in the page: inputs stand in front, options at the end.
std::string shortened_command(const std::string& command, std::size_t most_bytes);

}  // namespace aitqe
