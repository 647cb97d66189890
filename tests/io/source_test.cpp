#include "aitqe/io/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "aitqe/base/error.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

using test::TemporaryFolder;
using test::write_bytes;

std::string read_all(Source& source) {
  std::string bytes;
  std::string buffer(7, '\0');
  while (const std::size_t count = source.read(buffer)) bytes.append(buffer, 0, count);
  return bytes;
}

ErrorCategory category_of(const std::string& url) {
  try {
    open_source({url, "x"});
  } catch (const Error& error) {
    return error.category();
  }
  return ErrorCategory::Bug;
}

TEST(HashedSource, TellsTheHashOnceTheEndWasRead) {
  HashedSource source(std::make_unique<MemorySource>("abc"));
  std::string buffer(3, '\0');
  EXPECT_EQ(source.read(buffer), 3U);
  EXPECT_EQ(source.sha256(), "");
  EXPECT_EQ(source.read(buffer), 0U);
  EXPECT_EQ(source.read(buffer), 0U);
  EXPECT_EQ(source.sha256(), sha256_hex("abc"));
}

TEST(FileSource, ReadsAFileAndKnowsItsSize) {
  const TemporaryFolder folder;
  write_bytes(folder / "a", "twenty bytes of text");
  const auto source = open_source({(folder / "a").string(), "a"});

  EXPECT_EQ(source->size_bytes(), 20);
  EXPECT_EQ(read_all(*source), "twenty bytes of text");
  std::string nothing(1, '\0');
  EXPECT_EQ(source->read(nothing), 0);
}

TEST(FileSource, ReadsANamedPipeThatIsWrittenToLater) {
  const TemporaryFolder folder;
  const std::string path = (folder / "pipe").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto source = open_source({path, "pipe"});  // nobody writes yet
  std::jthread writer([&path] { write_bytes(path, "twenty bytes of text"); });
  EXPECT_EQ(source->size_bytes(), std::nullopt);
  EXPECT_EQ(read_all(*source), "twenty bytes of text");
}

TEST(OpenSource, EndsAWaitForBytesOnRequest) {
  const TemporaryFolder folder;
  const std::string path = (folder / "pipe").string();
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  for (const std::string& url : {path, std::string("pipe:sleep 600")}) {
    int num_asked = 0;
    const auto source = open_source({url, "x"}, [&num_asked] { return ++num_asked > 1; });
    std::string buffer(8, '\0');
    try {
      source->read(buffer);
      FAIL() << url;
    } catch (const Error& error) {
      EXPECT_EQ(error.category(), ErrorCategory::Resumable);
      EXPECT_EQ(error.what(), url + ": stopped on request");
    }
  }
}

TEST(OpenSource, NamesWhatCannotBeOpened) {
  const TemporaryFolder folder;
  EXPECT_EQ(category_of((folder / "missing").string()), ErrorCategory::NoInput);
  EXPECT_EQ(category_of(folder.path().string()), ErrorCategory::NoInput);
  EXPECT_EQ(category_of("gs://bucket/0.tar"), ErrorCategory::NoInput);
}

TEST(PipeSource, GivesTheOutputOfAShellCommand) {
  PipeSource source("printf 'a%s' b | tr a-z A-Z");
  EXPECT_EQ(read_all(source), "AB");
  EXPECT_NO_THROW(source.finish());
}

TEST(PipeSource, FailsWithTheStatusOfTheCommand) {
  PipeSource source("echo partial; exit 22");
  EXPECT_EQ(read_all(source), "partial\n");
  EXPECT_THROW(source.finish(), SourceError);
}

TEST(PipeSource, FailsWhenTheCommandIsKilled) {
  PipeSource source("kill -9 $$");
  EXPECT_EQ(read_all(source), "");
  EXPECT_THROW(source.finish(), SourceError);
}

TEST(PipeSource, DoesNotBlameACommandForOurEarlyStop) {
  PipeSource source("while echo yes; do :; done");
  std::string buffer(4, '\0');
  EXPECT_GT(source.read(buffer), 0);
  EXPECT_NO_THROW(source.finish());
}

TEST(PipeSource, ReportsAFailureAfterAnEarlyStopToo) {
  PipeSource source("echo some; exec >&-; exit 4");
  std::string buffer(5, '\0');
  EXPECT_GT(source.read(buffer), 0);
  EXPECT_THROW(source.finish(), SourceError);
}

TEST(PipeSource, EndsAllProcessesOfTheCommandWhenGivenUp) {
  pid_t child = -1;
  {
    PipeSource source("sleep 600 & echo $!; wait");
    std::string buffer(16, '\0');
    buffer.resize(source.read(buffer));
    child = std::stoi(buffer);
    EXPECT_EQ(kill(child, 0), 0);
  }
  // Its new parent may take a moment to collect it.
  const auto state_of_child = [child] {
    const std::string stat = test::read_bytes("/proc/" + std::to_string(child) + "/stat");
    const std::size_t name_end = stat.rfind(") ");
    return name_end == std::string::npos ? 'X' : stat[name_end + 2];
  };
  for (int i = 0; i < 1000 && state_of_child() != 'Z' && state_of_child() != 'X'; ++i) usleep(1000);
  EXPECT_THAT(state_of_child(), testing::AnyOf('Z', 'X'));
}

TEST(PipeSource, HasNoStandardInputToWaitFor) {
  PipeSource source("cat");
  EXPECT_EQ(read_all(source), "");
}

}  // namespace
}  // namespace aitqe
