#include "worst_set.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/quality/worst.h"
#include "aitqe/report/row_reader.h"

namespace aitqe {

namespace {

/// The worst share of a part is not the worst share of the whole.
void require_whole_run(const std::filesystem::path& scores_folder) {
  const std::filesystem::path path = scores_folder / "_aitqe/run.json";
  std::ifstream file(path);
  const auto run = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!run.is_object() || !run.contains("config")) {
    throw Error(ErrorCategory::Usage, path.string() + ": no record of a run (--scores)");
  }
  const nlohmann::json& config = run["config"];
  if (config.value("limit", std::int64_t{-1}) >= 0 || config.value("sample", 1.0) < 1.0) {
    throw Error(ErrorCategory::Usage,
                scores_folder.string() +
                    ": scores of a part of the pairs only (its run had --limit or --sample); run "
                    "`aitqe score` over the whole input (--scores)");
  }
}

}  // namespace

void require_scores(const std::filesystem::path& scores_folder,
                    const std::vector<ShardRef>& shards) {
  for (const ShardRef& shard : shards) {
    if (committed(scores_folder, shard.name)) continue;
    throw Error(ErrorCategory::Usage,
                scores_folder.string() + ": no finished scores of shard \"" + shard.name +
                    "\"; run `aitqe score` over the same input first (--scores)");
  }
  require_whole_run(scores_folder);
}

PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed) {
  std::vector<ScoredPair> pairs;
  for (const ShardRef& shard : shards) {
    RowReader rows(scores_folder / (shard.name + ".aitqe.jsonl"));
    while (const auto row = rows.next()) {
      pairs.push_back({row->shard, row->key, row->index, row->score_expected});
    }
  }
  PairSet worst;
  for (const std::size_t chosen : choose_worst(pairs, percent, seed)) {
    worst.emplace(pairs[chosen].shard, pairs[chosen].index);
  }
  return worst;
}

}  // namespace aitqe
