#include "shard_samples.h"

#include "aitqe/base/error.h"
#include "run_config.h"

namespace aitqe {
namespace {

std::unique_ptr<Source> open_tar(const FinishedShard& shard) {
  if (shard.has_tar()) return open_source({shard.tar_file().string(), shard.name()});
  const std::string& url = shard.stats.input.url;
  if (url == "-") {
    throw Error(ErrorCategory::NoInput, shard.rows_file().string() +
                                            ": the shard came from standard input and is not kept; "
                                            "`aitqe enhance` would have written it");
  }
  return open_source({url, shard.name()});
}

TarReaderOptions reader_options(const FinishedShard& shard) {
  TarReaderOptions options;
  if (!shard.has_tar()) {
    options.read_after_end_marker = RunConfig::read(shard.folder).read_after_end_marker;
  }
  return options;
}

}  // namespace

ShardSamples::ShardSamples(const FinishedShard& shard)
    : is_own_tar_(shard.has_tar()),
      source_(open_tar(shard)),
      members_(*source_, losses_, reader_options(shard)),
      samples_(members_) {}

Sample ShardSamples::find(const SelectedRow& selected) {
  // Pairs that --limit or --sample left out are in the input but not in the run's own tar.
  const std::int64_t wanted = is_own_tar_ ? selected.position : selected.row.index;
  while (auto sample = samples_.next()) {
    if (sample->index < wanted) continue;
    if (sample->key == selected.row.key) return std::move(*sample);
    throw Error(ErrorCategory::Damaged, members_.name() + ": sample " + std::to_string(wanted) +
                                            " is \"" + sample->key + "\", expected \"" +
                                            selected.row.key + "\" as its row says");
  }
  throw Error(ErrorCategory::Damaged, members_.name() + ": ends before sample \"" +
                                          selected.row.key + "\", which has a row");
}

}  // namespace aitqe
