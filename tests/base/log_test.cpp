#include "aitqe/base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aitqe {
namespace {

TEST(Log, WritesOneJsonObjectALineWhateverTheMessageHolds) {
  ::testing::internal::CaptureStderr();
  start_log(LogFormat::Json, /*only_warnings=*/true);
  log_info("not shown");
  log_warning("a \"quoted\"\nline \xFF");
  start_log(LogFormat::Text, /*only_warnings=*/false);
  const std::string text = ::testing::internal::GetCapturedStderr();
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "a \"quoted\"\nline \xEF\xBF\xBD");
}

TEST(Log, SetsFurtherLinesIn) {
  ::testing::internal::CaptureStderr();
  start_log(LogFormat::Text, /*only_warnings=*/false);
  log_warning("key\n2026-11-29 06:00:00 info: all is well\n  left out: 3\n");
  EXPECT_TRUE(::testing::internal::GetCapturedStderr().ends_with(
      "warning: key\n  2026-11-29 06:00:00 info: all is well\n  left out: 3\n\n"));
}

TEST(Log, LeavesATerminalAlone) {
  ::testing::internal::CaptureStderr();
  start_log(LogFormat::Text, /*only_warnings=*/false);
  log_warning("key \x1B[2J\x7F\r\xC2\x9B of\ttwo\nlines \xC3\xA9\xC2\xA0");
  EXPECT_TRUE(::testing::internal::GetCapturedStderr().ends_with(
      "warning: key ?[2J??? of\ttwo\n  lines \xC3\xA9\xC2\xA0\n"));
}

TEST(Formatted, GrowsWithItsText) {
  EXPECT_EQ(formatted("%d of %s", 3, "four"), "3 of four");
  EXPECT_EQ(formatted("%s", std::string(5000, 'x').c_str()).size(), 5000U);
}

}  // namespace
}  // namespace aitqe
