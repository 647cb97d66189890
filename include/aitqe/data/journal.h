#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aitqe {

/// What lies in a journal, for somebody who only looks: the run that writes it may be going on, on
/// whatever machine.
struct JournalContent {
  std::string header;
  std::int64_t num_pairs = 0;  ///< different ones, in whole lines
};

/// What a restart need not do again: opaque bytes for the pairs of one unfinished shard, in
/// `WORK/_aitqe/journal/NAME`, WORK being the output's work folder (OutputFolder). A header line,
/// then a line a pair: its number in the shard, a checksum and the bytes. Lines are appended whole;
/// one that a crash cut, or that two runs wrote into each other, has the wrong checksum and counts
/// as absent. Every failure to write is Error(Output).
class Journal {
 public:
  /// Reads what an earlier run left under the same header and goes on behind it; another header
  /// (other input, options or model) begins anew.
  /// @param header  one line that says what the entries hold for
  /// @return null while another run on this machine has the shard's journal open. (Where the file
  ///         system knows no locks, or the other run is on another machine that does not see ours,
  ///         both go on: they write the same, and the commit is a rename.)
  static std::unique_ptr<Journal> open(const std::filesystem::path& work_folder,
                                       const std::string& shard_name, std::string_view header);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Bytes of a pair from before `open`; null where there are none. Any threads.
  const std::string* find(std::int64_t pair) const;
  /// Whether all pairs of [first, end) are there.
  bool has_all(std::int64_t first, std::int64_t end) const;

  /// @param bytes  without a line end. One thread at a time.
  void add(std::int64_t pair, std::string_view bytes);
  /// Makes what was added safe from a loss of power, every few seconds; to be called often. One
  /// thread at a time, also while another adds.
  void sync_if_due();

  /// Once the shard is committed: the file goes.
  void remove();
  /// The same for a committed shard whose run was killed before it could; none is fine.
  static void discard(const std::filesystem::path& work_folder, const std::string& shard_name);

  /// `OUT/_aitqe/journal/NAME`
  static std::filesystem::path path_of(const std::filesystem::path& work_folder,
                                       const std::string& shard_name);
  /// Nothing where there is none (any more). Takes no lock and writes nothing.
  static std::optional<JournalContent> look(const std::filesystem::path& work_folder,
                                            const std::string& shard_name);

 private:
  class State;
  explicit Journal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aitqe
