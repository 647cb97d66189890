#include "aitqe/select/finished_shards.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/data/shard_output.h"

namespace aitqe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStatsSuffix = ".aitqe.stats.json";
constexpr std::string_view kRowsSuffix = ".aitqe.jsonl";

/// Names of the shards that a folder has anything of.
std::set<std::string> shard_names(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    for (const std::string_view suffix : {kStatsSuffix, kRowsSuffix}) {
      if (name.ends_with(suffix)) names.insert(name.substr(0, name.size() - suffix.size()));
    }
  }
  if (error) {
    throw Error(ErrorCategory::NoInput, folder.string() + ": cannot be read: " + error.message());
  }
  return names;
}

FinishedShard read_shard(const fs::path& folder, const std::string& name) {
  const auto stats = committed(folder, name);
  if (!stats) {
    throw Error(ErrorCategory::Usage, (folder / name).string() +
                                          ": this shard is not finished; run the command that "
                                          "makes it again, it goes on where it was");
  }
  FinishedShard shard{folder, stats_from_json(stats->dump())};
  if (was_cut_off(shard.stats)) {
    log_warning((folder / name).string() +
                ": the pairs that could not be read are not here; the command that made it reads "
                "them again");
  }
  return shard;
}

}  // namespace

bool FinishedShard::has_tar() const {
  return std::any_of(stats.files.begin(), stats.files.end(),
                     [this](const FileIdentity& file) { return file.name == name() + ".tar"; });
}

std::vector<FinishedShard> finished_shards(const std::vector<fs::path>& folders) {
  std::vector<FinishedShard> shards;
  std::map<std::string, fs::path> folder_of;
  for (const fs::path& folder : folders) {
    const std::set<std::string> names = shard_names(folder);
    if (names.empty()) {
      throw Error(ErrorCategory::NoInput,
                  folder.string() + ": no shards of `aitqe enhance` or `aitqe score` in it");
    }
    for (const std::string& name : names) {
      const auto [other, is_new] = folder_of.emplace(name, folder);
      if (!is_new) {
        throw Error(ErrorCategory::Usage, "shard \"" + name + "\" is in " + other->second.string() +
                                              " and in " + folder.string() +
                                              "; select from one at a time");
      }
      shards.push_back(read_shard(folder, name));
    }
  }
  return shards;
}

}  // namespace aitqe
