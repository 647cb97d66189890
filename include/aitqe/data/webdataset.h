#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "aitqe/data/sample.h"
#include "aitqe/io/tar.h"

namespace aitqe {

struct GroupingOptions {
  /// A sample with more members is split. At least 1.
  std::int64_t max_sample_members = 1000;
  /// A sample with more bytes is split, between members. At least 1.
  std::int64_t max_sample_bytes = std::int64_t{2} << 30;
};

/// Key and suffix of a member name by webdataset's rule (`base_plus_ext`): the name is cut at the
/// first dot of its last path component. Nothing for names that loaders skip: no dot there, nothing
/// before or after it, or a last component that begins and ends with `__`.
struct KeyAndSuffix {
  std::string key;
  /// In lower case.
  std::string suffix;
};
std::optional<KeyAndSuffix> split_name(std::string_view name);

/// Groups the members of a tar into samples: adjacent members with the same key are one sample.
/// Agrees with webdataset 1.0.2 `group_by_keys` on what belongs together; what that loader rejects
/// or merges silently is reported as a SampleProblem. Keys seen are remembered as 64-bit hashes
/// (about 16 bytes a sample). One thread at a time; the reader must outlive this.
class SampleReader {
 public:
  explicit SampleReader(TarReader& members, GroupingOptions options = {});

  /// The next sample in archive order, or nothing at the end.
  std::optional<Sample> next();

  /// After the end: members that pass through of a shard without any sample; normally empty.
  std::vector<Member> take_leftovers();

 private:
  void finish(Sample& sample);

  TarReader& members_;
  GroupingOptions options_;
  std::optional<TarMember> pending_;  // first member of the next sample
  bool pending_is_split_ = false;
  std::vector<Member> leading_;  // members that pass through, before the first sample
  std::unordered_set<std::uint64_t> keys_seen_;
  std::string previous_key_;
  std::int64_t num_samples_ = 0;
};

}  // namespace aitqe
