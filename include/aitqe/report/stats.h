#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/report/summary.h"

namespace aitqe {

inline constexpr std::string_view kStatsSchema = "aitqe.stats/2";

struct FileIdentity {
  std::string name;  ///< without folder
  std::int64_t bytes = 0;
  std::string sha256;

  bool operator==(const FileIdentity&) const = default;
};

/// What was read. `etag` tells one version from another: of a file its time of modification, in
/// nanoseconds since 1970, of an object on a server its ETag or Last-Modified. `etag` and `sha256`
/// are "" where unknown.
struct InputIdentity {
  std::string url;  ///< path or URL as given, without credentials
  std::int64_t bytes = 0;
  std::string etag;
  std::string sha256;

  bool operator==(const InputIdentity&) const = default;
};

/// NAME.aitqe.stats.json: written last; a shard without it is not done.
struct ShardStats {
  std::string schema{kStatsSchema};
  std::string shard;
  std::string version;  ///< of aitqe
  InputIdentity input;
  /// Counts by status, and the damage of this shard.
  Summary summary;
  /// Everything this shard wrote, save this file.
  std::vector<FileIdentity> files;
  std::string config_sha256;
  std::string model_sha256;
  /// Wall time over all attempts, in seconds. The only value that differs between equal runs.
  double duration_s = 0.0;

  bool operator==(const ShardStats&) const = default;
};

/// Indented by two, ends with a newline.
std::string stats_to_json(const ShardStats& stats);
/// @throws Error(Damaged) naming what is wrong.
ShardStats stats_from_json(std::string_view json);

/// True where the input could not be read to its end, and perhaps can be now: a disk that failed, a
/// `pipe:` command that did, an answer that ended early, broken compression. Such a shard is
/// done again by the next run.
bool was_cut_off(const ShardStats& stats);
/// What people are told of such a shard.
inline constexpr const char* kCutOffNote = "its input could not be read to the end; done again";

}  // namespace aitqe
