#include "done_shard.h"

#include <algorithm>

#include "aitqe/base/error.h"
#include "aitqe/base/log.h"
#include "aitqe/io/loss_log.h"

namespace aitqe {

namespace fs = std::filesystem;

void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats) {
  const bool was_read_whole = !stats.input.sha256.empty();
  if (!was_read_whole || !is_local_file(shard)) return;
  std::error_code error;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(shard.url, error));
  if (error || bytes == stats.input.bytes) return;  // one that went away is nobody's concern
  throw Error(ErrorCategory::Usage,
              shard.url + ": has " + std::to_string(bytes) + " bytes and had " +
                  std::to_string(stats.input.bytes) + " when " + output_folder.name_of(shard.name) +
                  " was made of it; choose another folder (-o), make all again (--overwrite), or "
                  "remove " +
                  shard.name + ".aitqe.stats.json there to make this one again");
}

bool was_cut_off(const ShardStats& stats) {
  const char* kind = to_string(DamageKind::SourceFailed);
  const bool found = std::ranges::any_of(
      stats.summary.damage, [kind](const ShardDamage& damage) { return damage.kind == kind; });
  if (found) log_info(stats.shard + ": its input could not be read to the end; done again");
  return found;
}

}  // namespace aitqe
