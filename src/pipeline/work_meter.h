#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/io/shards.h"
#include "aitqe/pipeline/progress.h"

namespace aitqe {

/// Keeps Progress::work_done and work_total, in the best unit that the input allows. Any threads.
class WorkMeter {
 public:
  /// @param sample_rate  share of the pairs that is added   @param limit  of pairs, or -1
  WorkMeter(Progress& progress, const std::vector<const ShardRef*>& shards, double sample_rate,
            std::int64_t limit);

  /// A shard that came later (ShardFeed): where none was there at first, shards are counted.
  void expect_one_more();

  /// One shard's part of the work. `add` by one thread, then `finish` once nothing of it is left.
  class Shard {
   public:
    Shard(WorkMeter& meter, const ShardRef& shard) : meter_(meter), size_(meter.size_of(shard)) {}
    void add(const Sample& sample);
    /// What pairs do not account for, such as headers and pairs that were not taken.
    void finish();

   private:
    WorkMeter& meter_;
    std::int64_t size_;
    std::atomic<std::int64_t> added_ = 0;
  };

 private:
  enum class Unit { Bytes, Pairs, Shards };
  std::int64_t size_of(const ShardRef& shard) const;

  Progress& progress_;
  Unit unit_;
  double sample_rate_;
};

}  // namespace aitqe
