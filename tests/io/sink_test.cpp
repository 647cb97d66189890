#include "aitqe/io/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "aitqe/base/error.h"
#include "io/io_support.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using test::read_bytes;
using test::TemporaryFolder;
using test::write_bytes;
using test::write_bytes_long_ago;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(AtomicFile, AppearsOnlyOnCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a.tar", "7");
  file.write("abc");
  EXPECT_THAT(names_in(folder.path()), ElementsAre(".a.tar.part-7"));

  file.commit();
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a.tar"));
  EXPECT_EQ(read_bytes(folder / "a.tar"), "abc");
  EXPECT_EQ(file.size_bytes(), 3);
  EXPECT_EQ(file.sha256(), sha256_hex("abc"));
}

TEST(AtomicFile, KeepsTheOldFileAndNoTemporaryWithoutCommit) {
  const TemporaryFolder folder;
  write_bytes(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new");
  }
  EXPECT_THAT(names_in(folder.path()), ElementsAre("a"));
  EXPECT_EQ(read_bytes(folder / "a"), "old");
}

TEST(AtomicFile, WritesPiecesLargerThanItsBufferInOrder) {
  const TemporaryFolder folder;
  const std::string large(1'000'000, 'x');
  AtomicFile file(folder / "a");
  file.write("begin");
  file.write(large);
  file.write("end");
  file.commit();
  EXPECT_EQ(read_bytes(folder / "a"), "begin" + large + "end");
}

TEST(AtomicFile, NamesFolderReasonAndFreeSpaceWhenItCannotWrite) {
  const TemporaryFolder folder;
  try {
    AtomicFile file(folder / "missing/a");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Output);
    EXPECT_THAT(error.what(), HasSubstr("missing/a: cannot be created: No such file"));
  }
}

// /dev/full answers every write with ENOSPC; a temporary of this name leads there.
TEST(AtomicFile, ReportsAFullDisk) {
  const TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder / ".a.part-7");
  AtomicFile file(folder / "a", "7");
  file.write("abc");
  try {
    file.commit();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), ErrorCategory::Output);
    EXPECT_THAT(error.what(), HasSubstr("No space left on device"));
    EXPECT_THAT(error.what(), HasSubstr("bytes free"));
  }
  EXPECT_FALSE(fs::exists(folder / "a"));
}

TEST(RemoveStaleTemporaries, TakesOnlyThoseOfThisFile) {
  const TemporaryFolder folder;
  for (const char* name : {".a.tar.part-1", ".a.tar.part-2", ".b.tar.part-1", "a.tar"}) {
    write_bytes_long_ago(folder / name, "x");
  }
  EXPECT_EQ(remove_stale_temporaries(folder.path(), {"none", "a.tar"}), 2);
  EXPECT_THAT(names_in(folder.path()), ElementsAre(".b.tar.part-1", "a.tar"));
}

/// The name that a process gives its temporary of `folder`/a, once that process is over.
std::string temporary_of_dead_process(const TemporaryFolder& folder) {
  const pid_t process = fork();
  if (process == 0) {
    const AtomicFile file(folder / "a");
    std::_Exit(0);  // as if killed: nothing is cleaned up
  }
  waitpid(process, nullptr, 0);
  return names_in(folder.path()).at(0);
}

TEST(RemoveStaleTemporaries, LeavesThoseOfProcessesThatMayStillWrite) {
  const TemporaryFolder folder;
  const std::string dead = temporary_of_dead_process(folder);
  AtomicFile alive(folder / "a");
  const std::string elsewhere = ".a.part-another-machine-1";
  write_bytes(folder / elsewhere, "x");
  write_bytes_long_ago(folder / ".a.part-yet-another-machine-1", "x");
  EXPECT_EQ(remove_stale_temporaries(folder.path(), {"a"}), 2);
  EXPECT_FALSE(fs::exists(folder / dead));
  EXPECT_TRUE(fs::exists(folder / elsewhere));
  alive.commit();  // its temporary is still there
  EXPECT_TRUE(fs::exists(folder / "a"));
}

TEST(RemoveStaleTemporaries, TakesThoseOfAProcessThatNobodyHasWaitedFor) {
  const TemporaryFolder folder;
  const pid_t process = fork();
  if (process == 0) {
    const AtomicFile file(folder / "a");
    std::_Exit(0);
  }
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(remove_stale_temporaries(folder.path(), {"a"}), 1);
  waitpid(process, nullptr, 0);
}

TEST(CopyFile, CopiesEveryByte) {
  const TemporaryFolder folder;
  const std::string bytes(700'000, '\0');
  write_bytes(folder / "a", bytes + "end");
  const FileDigest digest = copy_atomically(folder / "a", folder / "b");
  EXPECT_EQ(digest.size_bytes, 700'003);
  EXPECT_EQ(digest.sha256, sha256_hex(read_bytes(folder / "b")));
  EXPECT_THROW(copy_atomically(folder / "missing", folder / "c"), Error);
}

TEST(RequireFreeSpace, LooksAtTheClosestFolderThatExists) {
  const TemporaryFolder folder;
  EXPECT_GT(free_space_bytes(folder / "not/yet"), 0);
  EXPECT_NO_THROW(require_free_space(folder.path(), 1));
  EXPECT_THROW(require_free_space(folder.path(), INT64_MAX), Error);
}

TEST(RequireWritableFolder, RefusesAPathThatLeadsThroughAFile) {
  const TemporaryFolder folder;
  EXPECT_NO_THROW(require_writable_folder(folder / "not/yet"));
  write_atomically(folder / "file", "in the way");
  EXPECT_THROW(require_writable_folder(folder / "file"), Error);
  EXPECT_THROW(require_writable_folder(folder / "file/below"), Error);
}

}  // namespace
}  // namespace aitqe
