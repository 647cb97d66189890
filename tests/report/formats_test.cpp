#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "aitqe/report/report.h"
#include "aitqe/report/row.h"
#include "aitqe/report/run_file.h"
#include "aitqe/report/stats.h"
#include "aitqe/report/status.h"

namespace aitqe {
namespace {

using testing::HasSubstr;

TEST(FormatsDocument, ListsEveryColumnAndSchema) {
  std::ifstream file(AITQE_SOURCE_DIR "/docs/formats.md");
  std::stringstream document;
  document << file.rdbuf();
  std::size_t at = 0;
  for (const Column& column : report_columns()) {
    const std::string line = "| `" + std::string(column.name) + "` | " +
                             std::string(column.type_name()) + " | " +
                             std::string(column.description) + " |\n";
    const std::size_t found = document.str().find(line, at);
    EXPECT_NE(found, std::string::npos) << line << "missing or out of order";
    if (found != std::string::npos) at = found;
  }
  for (const auto schema : {kRowSchema, kMemberSchema, kStatsSchema, kSummarySchema, kRunSchema,
                            kReportSchema, kStatusSchema}) {
    EXPECT_THAT(document.str(), HasSubstr("`" + std::string(schema) + "`"));
  }
}

}  // namespace
}  // namespace aitqe
