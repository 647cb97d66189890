#include "done_shard.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "aitqe/base/error.h"
#include "aitqe/data/shard_output.h"
#include "aitqe/io/source.h"
#include "aitqe/io/url.h"

namespace aitqe {

namespace fs = std::filesystem;

namespace {

std::int64_t unix_ns(fs::file_time_type time) {
  const auto since_1970 = std::chrono::file_clock::to_sys(time).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

/// "" where it cannot be opened (any more). @throws Error(Resumable)
std::string sha256_of_input(const ShardRef& shard, Progress& progress) {
  std::string piece(std::size_t{1} << 20, '\0');
  try {
    HashedSource source(FileSource::open(shard.url));
    while (source.read(piece) > 0) {
      progress.activity.note_part();
      if (progress.stop_requested) {
        throw Error(ErrorCategory::Resumable, shard.url + ": stopped while it was compared");
      }
    }
    return source.sha256();
  } catch (const SourceError& error) {
    throw Error(ErrorCategory::Resumable, error.what());
  } catch (const Error& error) {
    if (error.category() != ErrorCategory::NoInput) throw;
    return "";
  }
}

}  // namespace

std::string version_of_input(const ShardRef& shard) {
  if (!is_local_file(shard)) return "";
  std::error_code error;  // one that went away is reported by who reads it
  const fs::file_time_type modified = fs::last_write_time(shard.url, error);
  return error ? "" : std::to_string(unix_ns(modified));
}

void require_same_input(const OutputFolder& output_folder, const ShardRef& shard,
                        const ShardStats& stats, Progress& progress) {
  const InputIdentity& before = stats.input;
  const bool was_read_whole = !before.sha256.empty();
  if (!was_read_whole) return;
  const std::string url = without_secrets(shard.url);
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCategory::Usage,
                url + ": " + what + " when " + output_folder.name_of(shard.name) +
                    " was made of it; choose another folder (-o), make all again (--overwrite), or "
                    "remove " +
                    shard.name + ".aitqe.stats.json there to make this one again");
  };
  if (!is_local_file(shard)) {
    if (url != before.url) refuse("was " + before.url);
    return;
  }
  std::error_code error;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(shard.url, error));
  if (error) return;  // one that went away is nobody's concern
  if (bytes != before.bytes) {
    refuse("has " + std::to_string(bytes) + " bytes and had " + std::to_string(before.bytes));
  }
  if (url == before.url && version_of_input(shard) == before.etag) return;
  const std::string sha256 = sha256_of_input(shard, progress);
  if (!sha256.empty() && sha256 != before.sha256) {
    refuse("has other bytes than " + before.url + " had");
  }
}

bool is_finished(const OutputFolder& folder, const std::string& shard_name) {
  const auto stats = committed(folder, shard_name);
  return stats && !was_cut_off(stats_from_json(stats->dump()));
}

}  // namespace aitqe
