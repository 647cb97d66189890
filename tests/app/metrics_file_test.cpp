#include "app/metrics_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "aitqe/base/error.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe::app {
namespace {

using aitqe::test::message_of;
using aitqe::test::TemporaryFolder;
using testing::HasSubstr;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(MetricsFile, IsThereFromTheStartAndHasTheLastWord) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "aitqe.prom";
  Progress progress;
  MetricsFile metrics({path, {"out", 0}, /*interval_s=*/3600}, progress);
  EXPECT_THAT(content_of(path), HasSubstr("decision=\"keep\"} 0\n"));
  progress.pairs = 12;
  metrics.finish(3);
  EXPECT_THAT(content_of(path), HasSubstr("decision=\"keep\"} 12\n"));
  EXPECT_THAT(content_of(path), HasSubstr("aitqe_exit_code{output=\"out\",task=\"0\"} 3\n"));
  const auto entries = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(MetricsFile, IsReplacedWhileTheRunGoesOn) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "aitqe.prom";
  Progress progress;
  const MetricsFile metrics({path, {"out", 0}, /*interval_s=*/0.01}, progress);
  progress.pairs = 12;
  while (content_of(path).find("decision=\"keep\"} 12\n") == std::string::npos) {
  }
}

TEST(MetricsFile, CannotBeMadeInAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  const Progress progress;
  EXPECT_THAT(message_of([&] {
                MetricsFile({folder.path() / "no/aitqe.prom", {"out", 0}, 1}, progress);
              }),
              HasSubstr("aitqe.prom: cannot be created"));
}

TEST(MetricsFile, ThatCannotBeWrittenLaterDoesNotEndTheRun) {
  auto folder = std::make_unique<TemporaryFolder>();
  const Progress progress;
  MetricsFile metrics({folder->path() / "aitqe.prom", {"out", 0}, 3600}, progress);
  folder.reset();
  metrics.finish(0);
}

}  // namespace
}  // namespace aitqe::app
