// Any bytes as a shard: reading, grouping and writing must neither crash nor lose a member that was
// read, and what was written must read back the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "aitqe/data/webdataset.h"
#include "aitqe/io/tar.h"

namespace {

std::vector<aitqe::Member> read_members(const std::string& archive) {
  aitqe::MemorySource source(archive);
  aitqe::LossLog losses;
  aitqe::TarReaderOptions options;
  // Small, for what a header claims is allocated, cleared and checked anew for every input.
  options.max_member_bytes = 1 << 14;
  options.expansion_grace_bytes = 1 << 16;
  aitqe::TarReader reader(source, losses, options);
  aitqe::SampleReader samples(reader, {.max_sample_members = 100, .max_sample_bytes = 1 << 22});
  std::vector<aitqe::Member> members;
  while (auto sample = samples.next()) {
    for (aitqe::Member& member : sample->members) members.push_back(std::move(member));
  }
  for (aitqe::Member& member : samples.take_leftovers()) members.push_back(std::move(member));
  return members;
}

/// A file with bytes whose name ends in a slash: libarchive takes it for a folder, and its bytes
/// for damage, unless a warning about the header keeps it from looking. Others read what we write.
bool looks_like_a_folder(const aitqe::Member& member) {
  return member.metadata.type == aitqe::MemberType::File && member.name.ends_with('/');
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<aitqe::Member> members =
      read_members(std::string(reinterpret_cast<const char*>(data), size));
  if (members.empty()) return 0;
  std::string archive;
  aitqe::TarWriter writer([&archive](std::string_view bytes) { archive.append(bytes); });
  for (const aitqe::Member& member : members) {
    writer.add(member.name, member.bytes, member.metadata);
  }
  writer.finish();
  if (std::any_of(members.begin(), members.end(), looks_like_a_folder)) return 0;
  const std::vector<aitqe::Member> again = read_members(archive);
  require(again.size() == members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    require(again[i].name == members[i].name && again[i].bytes == members[i].bytes);
  }
  return 0;
}
