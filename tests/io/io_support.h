#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "aitqe/io/tar.h"
#include "support/temporary_folder.h"

namespace aitqe::test {

using NamedBytes = std::pair<std::string, std::string>;

using aitqe::test::TemporaryFolder;

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file that nobody has written to for two hours.
inline void write_bytes_long_ago(const std::filesystem::path& path, const std::string& bytes) {
  write_bytes(path, bytes);
  std::filesystem::last_write_time(
      path, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
}

/// A file of tests/data/tar.
inline std::string tar_fixture_path(const std::string& name) {
  return std::string(AITQE_SOURCE_DIR) + "/tests/data/tar/" + name;
}
inline std::string tar_fixture(const std::string& name) {
  return read_bytes(tar_fixture_path(name));
}

inline std::string write_tar(const std::vector<TarMember>& members) {
  std::string archive;
  TarWriter writer([&archive](std::string_view bytes) { archive.append(bytes); });
  for (const TarMember& member : members) writer.add(member.name, member.bytes, member.metadata);
  writer.finish();
  return archive;
}

/// A tar of plain files; member headers at multiples of 512.
inline std::string make_tar(const std::vector<NamedBytes>& files) {
  std::vector<TarMember> members;
  for (const auto& [name, bytes] : files) members.push_back({name, bytes, {}, 0});
  return write_tar(members);
}

struct ReadResult {
  std::vector<TarMember> members;
  LossLog losses;

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const TarMember& member : members) names.push_back(member.name);
    return names;
  }
};

inline ReadResult read_tar(const std::string& archive, const TarReaderOptions& options = {}) {
  ReadResult result;
  MemorySource source(archive);
  TarReader reader(source, result.losses, options);
  while (auto member = reader.next()) result.members.push_back(std::move(*member));
  return result;
}

}  // namespace aitqe::test
