#include "aitqe/data/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>
#include <vector>

#include "aitqe/base/error.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Pointee;

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Journal> open(std::string_view header = "header") const {
    return Journal::open(folder_.path(), "00000", header);
  }
  fs::path file() const { return folder_.path() / "_aitqe/journal/00000"; }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file(), std::ios::binary).rdbuf();
    return text.str();
  }
  void replace(const std::string& text) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
  }

  aitqe::test::TemporaryFolder folder_;
};

TEST_F(JournalTest, GivesBackWhatAnEarlierRunAdded) {
  open()->add(0, "first");
  const auto second = open();
  second->add(2, "third");
  EXPECT_THAT(second->find(0), Pointee(std::string("first")));
  EXPECT_EQ(second->find(2), nullptr) << "was not there when it was opened";
  EXPECT_TRUE(second->has_all(0, 1));
  EXPECT_FALSE(second->has_all(0, 2));
}

TEST_F(JournalTest, BeginsAnewUnderAnotherHeader) {
  open("model a")->add(0, "answer of a");
  EXPECT_EQ(open("model b")->find(0), nullptr);
  EXPECT_EQ(content(), "model b\n");
}

TEST_F(JournalTest, TakesALineThatACrashCutForAbsentAndGoesOnBehindIt) {
  {
    const auto journal = open();
    journal->add(0, "whole");
    journal->add(1, "cut off");
  }
  const std::string all = content();
  for (std::size_t size = all.find("\n1 ") + 2; size < all.size(); ++size) {
    replace(all.substr(0, size));
    {
      const auto journal = open();
      EXPECT_NE(journal->find(0), nullptr) << size;
      EXPECT_EQ(journal->find(1), nullptr) << size;
      journal->add(2, "after the crash");
    }
    EXPECT_THAT(open()->find(2), Pointee(std::string("after the crash"))) << size;
  }
}

TEST_F(JournalTest, TakesADamagedLineForAbsent) {
  {
    const auto journal = open();
    journal->add(0, "zero");
    journal->add(1, "one");
  }
  std::string text = content();
  text[text.find("zero")] = 'Z';
  replace(text);
  const auto journal = open();
  EXPECT_EQ(journal->find(0), nullptr);
  EXPECT_THAT(journal->find(1), Pointee(std::string("one")));
}

TEST_F(JournalTest, IsOneRunsAtATime) {
  const auto first = open();
  EXPECT_EQ(open(), nullptr);
  EXPECT_NE(Journal::open(folder_.path(), "00001", "header"), nullptr) << "another shard is free";
}

TEST_F(JournalTest, IsGoneOnceRemoved) {
  const auto journal = open();
  journal->add(0, "answer");
  journal->remove();
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_FALSE(fs::exists(file().parent_path()));
  EXPECT_NE(open(), nullptr) << "the removed file's lock holds nobody up";
}

TEST_F(JournalTest, OpensWhileThatOfAnotherShardEndsAndTakesTheFolderAlong) {
  const auto come_and_go = [this](const std::string& shard) {
    for (int i = 0; i < 1000; ++i) Journal::open(folder_.path(), shard, "header")->remove();
  };
  std::vector<std::future<void>> shards;
  for (const char* name : {"a", "b", "c"}) {
    shards.push_back(std::async(std::launch::async, come_and_go, name));
  }
  for (auto& shard : shards) EXPECT_NO_THROW(shard.get());
}

TEST_F(JournalTest, DiscardsWhatAKilledRunLeft) {
  open()->add(0, "answer");
  Journal::discard(folder_.path(), "00000");
  EXPECT_FALSE(fs::exists(file().parent_path()));
  Journal::discard(folder_.path(), "00000");
}

TEST_F(JournalTest, SaysWhereItCannotBeMade) {
  std::ofstream(folder_.path() / "_aitqe") << "a file";
  EXPECT_THAT(aitqe::test::message_of([&] { open(); }), HasSubstr("journal: cannot be made"));
}

}  // namespace
}  // namespace aitqe
