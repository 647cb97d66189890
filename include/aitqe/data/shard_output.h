#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/io/output_folder.h"
#include "aitqe/io/shards.h"

namespace aitqe {

struct ShardOutputOptions {
  /// Off for `score`: report rows only, no tar, no copies of the files beside the input.
  bool write_tar = true;
  /// Part of the names of temporaries, `.NAME.tar.part-ATTEMPT`; "" as for AtomicFile.
  std::string attempt;
};

/// Writes one enhanced shard:
///   OUT/NAME.tar               every input member verbatim and in order, plus KEY.aitqe.json right
///                              behind the last member of each sample
///   OUT/NAME.aitqe.jsonl       one report row per sample
///   OUT/NAME.SUFFIX            what the caller wrote through `open_side_file`, e.g. Parquet
///   OUT/NAME*                  copies of the files beside the input shard (see `sidecar_files`)
///   OUT/NAME.aitqe.stats.json  written last: the commit
/// Nothing has its final name before `commit`; until then all of it is in OUT's work folder. An
/// input that already has KEY.aitqe.json (an enhanced shard as input) gets the new record in that
/// member's place, so enhancing twice does not add a second one. Every failure to write is
/// Error(Output); a file beside the input that cannot be read is Error(Resumable). One thread at a
/// time.
class ShardOutput {
 public:
  /// Creates the work folder where needed and removes temporaries that an earlier run left for this
  /// shard.
  ShardOutput(OutputFolder folder, ShardRef shard, ShardOutputOptions options = {});
  /// Without `commit` all temporaries are removed and no file of the shard has changed.
  ~ShardOutput();
  ShardOutput(const ShardOutput&) = delete;
  ShardOutput& operator=(const ShardOutput&) = delete;

  /// @param sample  as read, its caption perhaps replaced.
  /// @param record  content of KEY.aitqe.json; mode 0644, owner and time of the sample's first
  /// member.
  /// @param report_row  one JSON object on one line, without the line end.
  void add(const Sample& sample, std::string_view record, std::string_view report_row);

  /// Writes members that belong to no sample (SampleReader::take_leftovers).
  void add_pass_through(const std::vector<Member>& members);

  /// Begins a further file of this shard, NAME + `suffix`. It is complete when `commit` is called.
  /// @param suffix  `.aitqe.parquet`, or one whose temporaries nobody clears up after a crash
  /// @return what takes its bytes in order; not to be called once this is gone.
  std::function<void(std::string_view)> open_side_file(const std::string& suffix);

  /// Puts all files in place one after the other, the stats last. Stats of an earlier run go first,
  /// so a stop half way leaves a shard that is not `committed`; files that they list and this run
  /// did not write go too.
  /// @param stats  a JSON object; "files": [{"name", "bytes", "sha256"}] is added for tar, rows,
  ///               side files and copies.
  void commit(nlohmann::ordered_json stats);

  std::int64_t num_samples() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

/// The stats of a finished shard, or nothing when it must be done (again): no stats file, one that
/// is not JSON, or a file that it lists is missing or has another size. Hashes are not checked
/// here.
std::optional<nlohmann::ordered_json> committed(const OutputFolder& folder,
                                                const std::string& shard_name);

/// `committed` of each shard, in their order: of one list of the folder, and several at once where
/// a bucket is asked. @param use  called by this thread with the shard's place in `shard_names`
void for_each_committed(
    const OutputFolder& folder, const std::vector<std::string>& shard_names,
    const std::function<void(std::size_t index, const std::optional<nlohmann::ordered_json>&)>&
        use);

/// Removes what this machine keeps of a shard that is finished elsewhere: its journal, and
/// temporaries of processes that are no more.
void discard_work(const OutputFolder& folder, const std::string& shard_name);

/// Files that belong to a shard: beside it, named after its stem and `.` or `_` (NAME.parquet,
/// NAME_stats.json, NAME.json). Left out: tars, aitqe's own files, and files whose name fits the
/// longer stem of another shard there. Sorted. Empty for `-` and `pipe:`.
std::vector<std::filesystem::path> sidecar_files(const ShardRef& shard);

/// @throws Error(Usage) when the output folder is a folder that an input shard lies in.
void check_output_folder(const OutputFolder& folder, const std::vector<ShardRef>& shards);

}  // namespace aitqe
