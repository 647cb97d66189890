#include "aitqe/base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "aitqe/base/ascii.h"

namespace aitqe {

namespace {

constexpr std::string_view kFurtherLine = "  ";

/// The message as a JSON string, quotes included.
class JsonMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const nlohmann::json text = std::string(message.payload.data(), message.payload.size());
    const std::string quoted = text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    to.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JsonMessage>();
  }
};

/// The message without what would move a terminal's cursor, and with its further lines set in, so
/// that none looks like a message of its own: names of members come from outside.
class VisibleMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const std::string shown =
        ascii::visible({message.payload.data(), message.payload.size()}, /*keep=*/"\n\t");
    for (std::size_t i = 0; i < shown.size(); ++i) {
      to.push_back(shown[i]);
      const bool is_set_in = i + 1 == shown.size() || shown[i + 1] == ' ';
      if (shown[i] == '\n' && !is_set_in) to.append(kFurtherLine.begin(), kFurtherLine.end());
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<VisibleMessage>();
  }
};

// Any thread may log while another asks; the program sets it before there are others.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<LogFormat> current_format = LogFormat::Text;

}  // namespace

void start_log(LogFormat format, bool only_warnings) {
  current_format = format;
  auto logger =
      std::make_shared<spdlog::logger>("aitqe", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (format == LogFormat::Json) {
    formatter->add_flag<JsonMessage>('j').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S%z","level":"%l","message":%j})");
  } else {
    formatter->add_flag<VisibleMessage>('j').set_pattern("%Y-%m-%d %H:%M:%S %l: %j");
  }
  logger->set_formatter(std::move(formatter));
  logger->set_level(only_warnings ? spdlog::level::warn : spdlog::level::info);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

LogFormat log_format() { return current_format; }
bool log_shows_information() { return spdlog::default_logger()->should_log(spdlog::level::info); }

void log_info(const std::string& message) { spdlog::info("{}", message); }
void log_warning(const std::string& message) { spdlog::warn("{}", message); }
void log_error(const std::string& message) { spdlog::error("{}", message); }

std::string formatted(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  std::string text(static_cast<std::size_t>(std::vsnprintf(nullptr, 0, format, arguments)), '\0');
  va_end(arguments);
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  return text;
}

}  // namespace aitqe
