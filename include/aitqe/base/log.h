#pragma once

#include <string>

namespace aitqe {

// The program's log, on stderr. libtorch brings headers of another fmt along, so spdlog stays
// behind this face. Any thread.

enum class LogFormat {
  Text,
  Json,  ///< one object a line: `time`, `level`, `message` (docs/formats.md)
};

/// Called by the program; without it the log is text and shows information.
void start_log(LogFormat format, bool only_warnings);
bool log_shows_information();
LogFormat log_format();

void log_info(const std::string& message);
void log_warning(const std::string& message);
void log_error(const std::string& message);

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

}  // namespace aitqe
