#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/io/output_folder.h"

namespace aitqe {

inline constexpr std::string_view kRunSchema = "aitqe.run/1";

/// What OUT/_aitqe/run.json says of a folder: how its shards are made, and which ones it is to
/// hold.
struct RunFile {
  std::string version;        ///< of the aitqe that wrote it
  std::string config;         ///< JSON on one line, the bytes that config_sha256 is of
  std::string config_sha256;  ///< as in the stats of each shard
  std::string model_sha256;
  /// Names, in the order in which runs first named them: what a complete folder holds. Empty where
  /// a version that did not pin them wrote the file.
  std::vector<std::string> shards;
  /// Tasks that share the job, each doing every task_count-th shard; 0 where it is not told.
  int task_count = 0;
  /// The latest run's, from the program's name on; "" where it is not known.
  std::string command;

  // Of `config`; the values of a run without that option where it is not in there.
  bool writes_shards() const;
  /// A part of the pairs was taken (--sample): indexes of rows have gaps.
  bool has_sampling() const;
};

/// Nothing where there is no such file: no run of `enhance` or `score` has begun here.
/// @throws Error(Damaged) naming the file when it cannot be read.
std::optional<RunFile> read_run_file(const OutputFolder& folder);

/// @throws Error(Output) when it cannot be written.
void write_run_file(const OutputFolder& folder, std::string_view json);

/// Shards whose input could not be opened by the latest run that tried, and why.
/// (OUT/_aitqe/unreadable/NAME.txt)
std::map<std::string, std::string> read_unreadable_shards(const OutputFolder& folder);

/// Remembers why, or with an empty reason forgets it: the input can be read by now.
/// @throws Error(Output) when the note cannot be written.
void note_unreadable_shard(const OutputFolder& folder, const std::string& shard,
                           const std::string& reason);

}  // namespace aitqe
