#pragma once

#include <string_view>

namespace aitqe {

// The files of src/report/html, put into the program by cmake/embed.cmake.
extern const std::string_view kReportHtml;
extern const std::string_view kReportCss;
extern const std::string_view kReportJs;

}  // namespace aitqe
