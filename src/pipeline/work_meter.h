#pragma once

#include <cstdint>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/io/shards.h"
#include "aitqe/pipeline/progress.h"

namespace aitqe {

/// Keeps Progress::work_done and work_total, in the best unit that the input allows. `add` by one
/// thread, `finish` when all pairs of a shard were added.
class WorkMeter {
 public:
  /// @param sample_rate  share of the pairs that is added   @param limit  of pairs, or -1
  WorkMeter(Progress& progress, const std::vector<const ShardRef*>& shards, double sample_rate,
            std::int64_t limit);

  void add(const Sample& sample);
  void finish(const ShardRef& shard);

 private:
  enum class Unit { Bytes, Pairs, Shards };
  std::int64_t size_of(const ShardRef& shard) const;

  Progress& progress_;
  Unit unit_;
  double sample_rate_;
  std::int64_t finished_ = 0;  // size of the shards that are over
};

}  // namespace aitqe
