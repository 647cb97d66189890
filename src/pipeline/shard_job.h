#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aitqe/data/journal.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/pipeline/conclude.h"
#include "aitqe/pipeline/judge.h"
#include "aitqe/pipeline/shard_stream.h"
#include "aitqe/report/parquet.h"
#include "shard_writer.h"
#include "work_meter.h"

namespace aitqe {

/// What the shards of a run have in common. Outlives them.
struct ShardJobOptions {
  OutputFolder output_folder;
  bool write_shards = true;
  bool write_parquet = false;
  /// Take answers from the journal of an interrupted run; they have no tokens and logits.
  bool resume = true;
  ConcludeOptions conclude;
  std::string config_sha256;
  std::string model_sha256;
  std::int64_t batch_pairs = 0;  ///< see Judge::batch_pairs
  Activity* activity = nullptr;  ///< told of writing; may be null
  std::function<AnswerOrder(const PreparedSample&, const std::string& shard)> order;
  std::function<bool(const std::string& shard, std::int64_t index)> is_worst;
  /// Called by the thread that writes.
  std::function<void(const EnhancedSample&)> written;
};

/// Answers of an interrupted run to the same questions. @return null where another run is at it.
std::unique_ptr<Journal> open_journal(const ShardRef& shard, const ShardJobOptions& options);

/// One shard on its way from input to committed output. `next` and `add` not at the same time;
/// `commit` once, by any thread, when `is_complete`. Without it no output changes, and the journal
/// keeps what was answered.
class ShardJob {
 public:
  ShardJob(std::unique_ptr<ShardStream> stream, std::unique_ptr<Journal> journal,
           const ShardJobOptions& options, WorkMeter& meter);

  const ShardRef& shard() const { return stream_->shard(); }
  const std::string& name() const { return shard().name; }
  /// The next pair; nothing at the end of the shard.
  std::optional<Question> next();
  /// What became of a pair, in the order of `next`.
  void add(AssessedSample sample);
  /// Read to its end, and every pair is back.
  bool is_complete() const { return has_ended_ && num_back_ == num_taken_; }
  /// Waits until everything is written and puts the shard in place. @throws Error(Output)
  Summary commit();

  std::int64_t num_taken() const { return num_taken_; }
  std::int64_t num_resumed() const { return num_resumed_; }
  /// Once `next` has given nothing.
  std::int64_t num_passed_over() const { return stream_->num_passed_over(); }

 private:
  std::optional<Answer> known_answer(const PreparedSample& prepared) const;
  EnhancedSample conclude_one(AssessedSample sample);

  const ShardJobOptions& options_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::unique_ptr<ShardStream> stream_;
  std::unique_ptr<Journal> journal_;
  WorkMeter::Shard work_;
  std::int64_t num_taken_ = 0;
  std::int64_t num_back_ = 0;
  std::int64_t num_resumed_ = 0;
  bool has_ended_ = false;
  RewriteCounts counts_;  // the writer's thread alone
  ShardOutput output_;
  std::optional<ParquetWriter> parquet_;  // the writer's thread alone until it is finished
  ShardWriter writer_;                    // last: its thread uses the rest
};

}  // namespace aitqe
