#include "work_meter.h"

#include <algorithm>
#include <filesystem>

namespace aitqe {

namespace {

bool has_a_size(const ShardRef* shard) {
  return is_local_file(*shard) && shard->url.ends_with(".tar");
}

}  // namespace

WorkMeter::WorkMeter(Progress& progress, const std::vector<const ShardRef*>& shards,
                     double sample_rate, std::int64_t limit)
    : progress_(progress),
      unit_(limit >= 0                                                   ? Unit::Pairs
            : !shards.empty() && std::ranges::all_of(shards, has_a_size) ? Unit::Bytes
                                                                         : Unit::Shards),
      sample_rate_(sample_rate) {
  progress_.work_total = limit;
  if (unit_ == Unit::Pairs) return;
  progress_.work_total = 0;
  for (const ShardRef* shard : shards) progress_.work_total += size_of(*shard);
}

void WorkMeter::expect_one_more() {
  if (unit_ == Unit::Shards) ++progress_.work_total;
}

std::int64_t WorkMeter::size_of(const ShardRef& shard) const {
  if (unit_ == Unit::Shards) return 1;
  std::error_code ignored;  // one that went away is reported by who opens it
  const auto size = std::filesystem::file_size(shard.url, ignored);
  return ignored ? 0 : static_cast<std::int64_t>(size);
}

void WorkMeter::Shard::add(const Sample& sample) {
  if (meter_.unit_ == Unit::Pairs) ++meter_.progress_.work_done;
  if (meter_.unit_ != Unit::Bytes) return;
  const auto bytes =
      static_cast<std::int64_t>(static_cast<double>(sample.tar_bytes()) / meter_.sample_rate_);
  added_ += bytes;
  meter_.progress_.work_done += bytes;
}

void WorkMeter::Shard::finish() {
  if (meter_.unit_ != Unit::Pairs) meter_.progress_.work_done += size_ - added_;
}

}  // namespace aitqe
