#include "worst_set.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/error.h"
#include "aitqe/base/hash.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/quality/worst.h"
#include "aitqe/report/row_reader.h"
#include "aitqe/report/stats.h"

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

std::string scores_sha256(const std::filesystem::path& scores_folder,
                          const std::vector<ShardRef>& shards) {
  std::set<std::string> names;
  for (const ShardRef& shard : shards) names.insert(shard.name);
  Sha256 hash;
  for (const std::string& name : names) {
    hash.update(name + "\n");
    const auto found = committed(scores_folder, name);
    if (!found) continue;
    for (const FileIdentity& file : stats_from_json(found->dump()).files) {
      if (file.name.ends_with(".aitqe.jsonl")) hash.update(file.sha256 + "\n");
    }
  }
  return hash.hex_digest();
}

void PairSet::insert(const std::string& shard, std::int64_t index) {
  std::vector<bool>& pairs = pairs_[shard];
  const auto at = static_cast<std::size_t>(index);
  if (at >= pairs.size()) pairs.resize(at + 1);
  pairs[at] = true;
}

bool PairSet::contains(const std::string& shard, std::int64_t index) const {
  const auto found = pairs_.find(shard);
  const auto at = static_cast<std::size_t>(index);
  return found != pairs_.end() && at < found->second.size() && found->second[at];
}

PairSet load_worst_set(const std::filesystem::path& scores_folder,
                       const std::vector<ShardRef>& shards, double percent, std::uint64_t seed) {
  const auto for_each_scored = [&](const auto& use) {
    for (const ShardRef& shard : shards) {
      RowReader rows(scores_folder / (shard.name + ".aitqe.jsonl"));
      while (const auto row = rows.next()) {
        if (row->score_expected < 0) continue;
        use(*row, worst_rank({row->shard, row->key, row->index, row->score_expected}, seed));
      }
    }
  };
  LowestRanks lowest;
  for_each_scored([&](const ReportRow&, const Rank& rank) { lowest.add(rank); });
  lowest.close(share_of(percent, lowest.size()));
  PairSet worst;
  for_each_scored([&](const ReportRow& row, const Rank& rank) {
    if (lowest.take(rank)) worst.insert(row.shard, row.index);
  });
  return worst;
}

}  // namespace aitqe
