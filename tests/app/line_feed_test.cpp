#include "app/line_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace aitqe::app {
namespace {

using aitqe::test::message_of;
using aitqe::test::TemporaryFolder;
using testing::HasSubstr;
using Wait = ShardFeed::Wait;

class LineFeedTest : public ::testing::Test {
 protected:
  LineFeed& feed(const std::string& lines, std::vector<ShardRef> job = {}) {
    folder_.write("names", lines);
    receipts_ = std::tmpfile();
    feed_.emplace((folder_.path() / "names").string(), std::move(job), folder_.path() / "out",
                  stop_requested_, receipts_);
    return *feed_;
  }
  ~LineFeedTest() override {
    if (receipts_ != nullptr) std::fclose(receipts_);
  }

  std::vector<nlohmann::json> receipts() {
    std::rewind(receipts_);
    std::vector<nlohmann::json> lines;
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), line.size(), receipts_) != nullptr) {
      lines.push_back(nlohmann::json::parse(line.data()));
    }
    return lines;
  }

  TemporaryFolder folder_;
  std::atomic<bool> stop_requested_ = false;
  std::FILE* receipts_ = nullptr;
  std::optional<LineFeed> feed_;
};

TEST_F(LineFeedTest, GivesNamesOfTheJobAndTheLastWithoutALineEnd) {
  LineFeed& names = feed("# first\n\n b\t\r\na", {{"in/a.tar", "a"}, {"in/b.tar", "b"}});
  EXPECT_EQ(names.next(Wait::Yes)->url, "in/b.tar");
  EXPECT_FALSE(names.has_ended());
  EXPECT_EQ(names.next(Wait::No)->url, "in/a.tar");
  EXPECT_FALSE(names.next(Wait::Yes).has_value());
  EXPECT_TRUE(names.has_ended());
}

TEST_F(LineFeedTest, TellsTheLineOfWhatIsFinished) {
  LineFeed& names = feed("\nb\n", {{"in/a.tar", "a"}, {"in/b.tar", "b"}});
  ShardReceipt receipt{*names.next(Wait::Yes), ShardReceipt::Status::Done, {}, ""};
  receipt.summary.read = 7;
  names.finished(receipt);
  const nlohmann::json told = receipts().at(0);
  EXPECT_EQ(told["line"], 2);
  EXPECT_EQ(told["shard"], "b");
  EXPECT_EQ(told["status"], "done");
  EXPECT_EQ(told["read"], 7);
}

TEST_F(LineFeedTest, RefusesASecondTimeUnlessItCameToNothing) {
  LineFeed& names = feed("a\na\na\n", {{"in/a.tar", "a"}});
  const ShardRef shard = *names.next(Wait::Yes);
  names.finished({shard, ShardReceipt::Status::Elsewhere, {}, ""});
  EXPECT_TRUE(names.next(Wait::Yes).has_value());
  EXPECT_FALSE(names.next(Wait::Yes).has_value());
  EXPECT_EQ(names.num_refused(), 1);
  EXPECT_THAT(receipts().at(1)["reason"].get<std::string>(), HasSubstr("named before, in line 2"));
}

TEST_F(LineFeedTest, RefusesALineThatNeverEnds) {
  LineFeed& names = feed(std::string(std::size_t{2} << 20, 'x'));
  EXPECT_THAT(message_of([&] { names.next(Wait::Yes); }), HasSubstr("a line of more than"));
}

TEST_F(LineFeedTest, GivesNothingOnceItIsToStop) {
  LineFeed& names = feed("a\n", {{"in/a.tar", "a"}});
  stop_requested_ = true;
  EXPECT_FALSE(names.next(Wait::Yes).has_value());
  EXPECT_FALSE(names.has_ended());
}

TEST_F(LineFeedTest, NamesAFileThatIsNotThere) {
  EXPECT_THAT(
      message_of([&] { LineFeed("no/such/file", {}, OutputFolder("out"), stop_requested_); }),
      HasSubstr("no/such/file: cannot be opened"));
}

}  // namespace
}  // namespace aitqe::app
