#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aitqe/quality/assessment.h"

namespace aitqe {

/// What another judge (a person, a large model) said of captions, by their samples.
class TeacherNotes {
 public:
  /// Reads JSON lines: `{"key": "...", "shard": "...", "scores": {"overall": 3, ...},
  /// "explanations": {...}, "recaption": "..."}`, with score_field_name's names. `key` and
  /// `scores.overall` must be there, scores must be on 1 to 10; one below 0 counts as absent, so
  /// that report rows can be read. Without `shard` the key is looked for in all shards. Of a sample
  /// that comes twice the first row counts.
  /// @throws Error(NoInput) when the file cannot be read.
  static TeacherNotes read(const std::filesystem::path& path);

  /// Told of every sample before any note is asked for, so that settle can tell which rows fit.
  void meet(const std::string& shard, const std::string& key);
  /// Drops the rows that fit no sample, and those without a shard that fit several: whose picture
  /// is meant is not known. They go to `unusable`.
  void settle();

  /// What was said of this sample, or null.
  const Assessment* find(const std::string& shard, const std::string& key) const;

  std::size_t size() const { return notes_.size(); }
  /// `FILE:LINE: what is wrong` for each row that cannot be used.
  const std::vector<std::string>& unusable() const { return unusable_; }

 private:
  struct Note {
    Assessment assessment;
    std::string where;  ///< FILE:LINE
  };
  using Name = std::pair<std::string, std::string>;  ///< shard, "" where the row has none, and key
  using Place = std::map<Name, Note>::const_iterator;
  Place place_of(const std::string& shard, const std::string& key) const;

  std::map<Name, Note> notes_;
  std::map<Name, std::int64_t> num_samples_;  ///< that each was met for
  std::set<Name> dropped_;                    ///< by settle
  std::vector<std::string> unusable_;
};

}  // namespace aitqe
