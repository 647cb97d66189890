#include "task_share.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>

#include "aitqe/base/error.h"
#include "aitqe/report/run_file.h"

namespace aitqe {

std::vector<std::string> joined(std::vector<std::string> job,
                                const std::vector<std::string>& names) {
  std::set<std::string> known(job.begin(), job.end());
  std::copy_if(names.begin(), names.end(), std::back_inserter(job),
               [&known](const std::string& name) { return known.insert(name).second; });
  return job;
}

std::vector<std::string> job_with(const EnhanceOptions& options) {
  std::vector<std::string> names;
  for (const ShardRef& shard : options.shards) names.push_back(shard.name);
  try {
    const auto run = read_run_file(options.output_folder);
    return joined(run ? run->shards : std::vector<std::string>{}, names);
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::Damaged) throw;
    return names;  // it is written anew
  }
}

std::vector<const ShardRef*> shards_of_task(const EnhanceOptions& options,
                                            const std::vector<std::string>& job) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t place = 0; place < job.size(); ++place) places.emplace(job[place], place);
  const auto count = static_cast<std::size_t>(options.task.count);
  const auto index = static_cast<std::size_t>(options.task.index);
  std::vector<const ShardRef*> shards;
  for (const ShardRef& shard : options.shards) {
    if (places.at(shard.name) % count == index) shards.push_back(&shard);
  }
  return shards;
}

}  // namespace aitqe
