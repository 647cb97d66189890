#include "worst_set.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/quality/worst.h"
#include "aitqe/report/row.h"

namespace aitqe {

PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed) {
  std::vector<ScoredPair> pairs;
  for (const ShardRef& shard : shards) {
    if (!committed(scores_folder, shard.name)) {
      throw Error(ErrorCategory::Usage,
                  scores_folder.string() + ": no finished scores of shard \"" + shard.name +
                      "\"; run `aitqe score` over the same input first (--scores)");
    }
    std::ifstream rows(scores_folder / (shard.name + ".aitqe.jsonl"), std::ios::binary);
    for (std::string line; std::getline(rows, line);) {
      const ReportRow row = from_json_line(line);
      pairs.push_back({row.shard, row.key, row.index, row.score_expected});
    }
  }
  PairSet worst;
  for (const std::size_t chosen : choose_worst(pairs, percent, seed)) {
    worst.emplace(pairs[chosen].shard, pairs[chosen].index);
  }
  return worst;
}

}  // namespace aitqe
