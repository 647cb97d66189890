#pragma once

#include <string_view>

namespace aitqe {

// The files of src/report/html, put into the program by cmake/embed.cmake.
extern const std::string_view kReportHtml;
extern const std::string_view kReportCss;
extern const std::string_view kReportJs;
/// d3: scales, selections and axes, with what they need.
extern const std::string_view kChartLibraryJs;

}  // namespace aitqe
