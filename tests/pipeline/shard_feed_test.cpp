#include "aitqe/pipeline/shard_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "aitqe/data/journal.h"
#include "aitqe/io/sink.h"
#include "aitqe/io/tar.h"
#include "aitqe/pipeline/enhance.h"
#include "aitqe/report/run_file.h"
#include "support/errors.h"
#include "support/reference.h"
#include "support/temporary_folder.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;
using aitqe::test::message_of;
using aitqe::test::read_bytes;
using aitqe::test::reference_dir;
using aitqe::test::TemporaryFolder;
using Status = ShardReceipt::Status;
using testing::ElementsAre;
using testing::HasSubstr;

/// Gives the next shard only when all before it are finished, as a feeder that waits does.
class WaitingFeed : public ShardFeed {
 public:
  explicit WaitingFeed(std::vector<ShardRef> shards) : shards_(shards.begin(), shards.end()) {}

  std::optional<ShardRef> next(Wait wait) override {
    std::unique_lock lock(mutex_);
    if (wait == Wait::Yes) all_finished_.wait(lock, [this] { return num_in_hand_ == 0; });
    if (num_in_hand_ > 0 || shards_.empty()) return std::nullopt;
    ++num_in_hand_;
    ShardRef shard = shards_.front();
    shards_.pop_front();
    return shard;
  }
  bool has_ended() const override { return shards_.empty(); }
  void finished(const ShardReceipt& receipt) override {
    const std::lock_guard lock(mutex_);
    --num_in_hand_;
    receipts_[receipt.shard.name] = receipt;
    all_finished_.notify_all();
  }

  std::map<std::string, ShardReceipt> receipts() const { return receipts_; }

 private:
  std::deque<ShardRef> shards_;
  std::mutex mutex_;
  std::condition_variable all_finished_;
  int num_in_hand_ = 0;
  std::map<std::string, ShardReceipt> receipts_;
};

class FeedTest : public ::testing::Test {
 protected:
  FeedTest() {
    ModelOptions model;
    model.folder = (reference_dir() / "drop-first-mixed").string();
    model.dtype = "f32";
    model_ = load_model(model);
    options_.output_folder = folder_.path() / "out";
    options_.judge.max_new_tokens = 4;
    options_.judge.limits = choose_limits(model_, 4, 0);
    for (const char* name : {"a", "b", "c"}) shards_.push_back(write_shard(name));
  }

  /// Three captions without a picture.
  ShardRef write_shard(const std::string& name) const {
    AtomicFile file(folder_.path() / (name + ".tar"));
    TarWriter tar([&](std::string_view bytes) { file.write(bytes); });
    for (const char* key : {"0.txt", "1.txt", "2.txt"}) tar.add(name + key, "a caption", {});
    tar.finish();
    file.commit();
    return {file.path().string(), name};
  }

  EnhanceResult feed(WaitingFeed& feed) {
    options_.feed = &feed;
    Progress progress;
    return enhance(options_, model_, progress);
  }

  TemporaryFolder folder_;
  LoadedModel model_;
  EnhanceOptions options_;
  std::vector<ShardRef> shards_;
};

TEST_F(FeedTest, FinishesAShardBeforeTheNextIsNamed) {
  WaitingFeed one_by_one(shards_);
  const EnhanceResult result = feed(one_by_one);
  EXPECT_EQ(result.shards_done, 3);
  EXPECT_FALSE(result.stopped);
  for (const ShardRef& shard : shards_) {
    const ShardReceipt receipt = one_by_one.receipts().at(shard.name);
    EXPECT_EQ(receipt.status, Status::Done);
    EXPECT_EQ(receipt.summary.read, 3);
  }
  EXPECT_THAT(read_run_file(options_.output_folder)->shards, ElementsAre("a", "b", "c"));
}

TEST_F(FeedTest, GivesTheBytesOfARunThatKnewAll) {
  WaitingFeed one_by_one(shards_);
  feed(one_by_one);
  EnhanceOptions whole = options_;
  whole.feed = nullptr;
  whole.shards = shards_;
  whole.output_folder = folder_.path() / "whole";
  Progress progress;
  enhance(whole, model_, progress);
  for (const char* file : {"a.tar", "b.aitqe.jsonl", "c.tar"}) {
    EXPECT_EQ(read_bytes(options_.output_folder.work_folder() / file),
              read_bytes(whole.output_folder.work_folder() / file))
        << file;
  }
}

TEST_F(FeedTest, SaysWhatWasDoneBeforeIsElsewhereOrCannotBeOpened) {
  WaitingFeed first({shards_[0]});
  feed(first);
  const auto other = Journal::open(options_.output_folder.work_folder(), "b", "another run");
  fs::remove(shards_[2].url);
  WaitingFeed all(shards_);
  const EnhanceResult result = feed(all);
  EXPECT_EQ(all.receipts().at("a").status, Status::DoneBefore);
  EXPECT_EQ(all.receipts().at("a").summary.read, 3);
  EXPECT_EQ(all.receipts().at("b").status, Status::Elsewhere);
  EXPECT_EQ(all.receipts().at("c").status, Status::Unreadable);
  EXPECT_THAT(all.receipts().at("c").reason, HasSubstr("c.tar"));
  EXPECT_EQ(outcome(result, 100), ErrorCategory::Resumable);
}

TEST_F(FeedTest, WithoutAnyNameAllIsWell) {
  WaitingFeed nothing({});
  EXPECT_EQ(outcome(feed(nothing), 1.0), std::nullopt);
}

TEST_F(FeedTest, RefusesAFolderOfAnotherConfigurationBeforeAnyName) {
  WaitingFeed first({shards_[0]});
  feed(first);
  const std::string record = read_bytes(options_.output_folder.work_folder() / "_aitqe/run.json");
  options_.judge.max_new_tokens = 5;
  WaitingFeed rest({shards_[1]});
  EXPECT_THAT(message_of([&] { feed(rest); }), HasSubstr("another configuration"));
  EXPECT_EQ(read_bytes(options_.output_folder.work_folder() / "_aitqe/run.json"), record);
}

TEST_F(FeedTest, ManyRunsOnOneFolderPinAllTheirShards) {
  std::vector<std::jthread> runs;
  for (const ShardRef& shard : shards_) {
    runs.emplace_back([this, shard] {
      WaitingFeed own({shard});
      EnhanceOptions options = options_;
      options.feed = &own;
      Progress progress;
      enhance(options, model_, progress);
    });
  }
  runs.clear();
  EXPECT_THAT(read_run_file(options_.output_folder)->shards,
              testing::UnorderedElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace aitqe
