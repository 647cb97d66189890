#pragma once

#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "aitqe/io/output_folder.h"
#include "aitqe/pipeline/shard_feed.h"

namespace aitqe::app {

/// Shards named line by line on a file or pipe, as they come; blank lines and lines that begin with
/// `#` are skipped. One JSON line (docs/formats.md, "Receipt") is printed for each name, at once
/// when its shard is finished or the name is refused.
class LineFeed : public ShardFeed {
 public:
  /// @param path  `-` = standard input
  /// @param job  a line names one of these as its output is called; empty: a line is an input that
  ///             gives one shard
  /// @param receipts  where receipts are printed; must outlive the feed, as must stop_requested,
  ///                  which ends a wait
  /// @throws Error(NoInput) when the file cannot be opened.
  LineFeed(const std::string& path, std::vector<ShardRef> job, OutputFolder output_folder,
           const std::atomic<bool>& stop_requested, std::FILE* receipts = stdout);
  ~LineFeed() override;
  LineFeed(const LineFeed&) = delete;
  LineFeed& operator=(const LineFeed&) = delete;

  /// @throws Error(Usage) for a line without end.
  std::optional<ShardRef> next(Wait wait) override;
  bool has_ended() const override { return is_at_end_ && buffer_.empty(); }
  /// @throws Error(Resumable) when nobody reads the receipts any more.
  void finished(const ShardReceipt& receipt) override;

  /// Names that are no shard of the job, or came twice.
  std::int64_t num_refused() const { return num_refused_; }

 private:
  std::optional<std::string> take_line();
  bool read_more(Wait wait);
  std::optional<ShardRef> resolve(const std::string& name);
  ShardRef find(const std::string& name) const;
  void print(std::int64_t line, const std::string& shard, const char* status,
             const Summary& summary, const std::string& reason);

  std::string path_;
  std::vector<ShardRef> job_;
  OutputFolder output_folder_;
  const std::atomic<bool>& stop_requested_;
  std::FILE* receipts_;
  int descriptor_ = -1;
  std::string buffer_;
  bool is_at_end_ = false;
  std::int64_t line_ = 0;
  std::int64_t num_refused_ = 0;
  std::mutex mutex_;
  std::map<std::string, std::int64_t> line_of_;  // guarded by mutex_: names in hand or done
};

}  // namespace aitqe::app
